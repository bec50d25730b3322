// A model's gradients, trained now, and what methods make of them: the rows of the table of models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/gradient_table.hpp"
#include "base/json.hpp"

namespace traincast {

struct GradientStudy {
  std::vector<Json> compressors;        ///< as a scenario writes them
  std::vector<std::uint32_t> learners;  ///< ascending; empty: by the model's size
  std::uint64_t steps = 2, seed = 1;
  std::string exchanges;  ///< folder of recorded ones, for models that are not trained here; empty: none
  /// Of a model's passes together, and 40 times what one may take: batches that are not given are halved for
  /// it.
  double most_flops = 5e12;
  unsigned threads = 1;
};

/// One row to be made, with its batch and learners chosen; nothing has been computed yet.
struct StudiedModel {
  std::string name;
  Json workload;  ///< with every parameter
  std::uint64_t parameters = 0, batch = 0;
  std::string data;  ///< their source, and whether it is made
  std::vector<std::uint32_t> learners;
  std::vector<std::string> methods;  ///< labels of the compressors

  /// All that the row depends on.
  Json key(const GradientStudy& study) const;
};

/// `workload`: a name, or an object as in a scenario. Throws InputError where it, or a method, cannot be
/// read.
StudiedModel choose_model(const Json& workload, const GradientStudy& study);

/// Times a pass, captures gradients and runs the methods over them; nothing of the gradients is left. What
/// does not fit into this machine, or cannot be trained, stands among what is lacking. Throws Interrupted.
GradientsOfModel study_model(const StudiedModel& model, const GradientStudy& study);

/// The recorded exchanges of this model and these methods, in place of gradients. Throws InputError where a
/// file is not whole.
void add_recorded(const StudiedModel& model, const GradientStudy& study, GradientsOfModel& row);

}  // namespace traincast
