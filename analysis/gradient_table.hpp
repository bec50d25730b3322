// What methods make of the gradients of models: one row a model and number of learners.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace traincast {

/// Of a point; nothing where it is not defined.
struct MethodNumbers {
  std::optional<double> build_up, wire_ratio, contraction;
};

struct GradientsOfModel {
  std::string model;
  Json workload;  ///< with every parameter
  std::uint64_t parameters = 0, batch = 0;
  std::string data;                  ///< their source, and whether it was made
  std::optional<double> pass_cpu_s;  ///< forward and backward of a learner's mini-batch, on one core
  std::string processor;             ///< that it was measured on
  struct AtLearners {
    std::uint32_t learners = 0;
    std::vector<MethodNumbers> methods;
    struct Recorded {
      std::uint64_t batch = 0;  ///< 0: not stated
      std::string data;
    };
    std::optional<Recorded> recorded;  ///< elsewhere, with a mini-batch and data of its own
  };
  std::vector<AtLearners> at;        ///< empty: nothing but the model's own numbers
  std::vector<std::string> lacking;  ///< why there are dashes, in sentences

  Json to_json() const;
  static GradientsOfModel from_json(const JsonReader& at);
};

struct GradientTable {
  std::vector<std::string> methods;  ///< as they are shown
  std::vector<GradientsOfModel> models;
};

/// Cells of a method: build-up, ratio, contraction.
std::string to_text(const GradientTable& table);
std::string to_markdown(const GradientTable& table);
Json to_json(const GradientTable& table);

}  // namespace traincast
