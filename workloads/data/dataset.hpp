// Where samples come from: files of the field's data sets, or made here from a seed. What is made says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/catalog.hpp"
#include "workloads/data/batch.hpp"
#include "workloads/models/model.hpp"

namespace traincast {

enum class Split { train, test };

/// What made data have: as many samples as anyone asks for.
inline constexpr std::uint64_t kEndless = std::uint64_t{1} << 48;

/// Samples by number, the same whenever asked for; thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::uint64_t size(Split split) const = 0;
  /// Adds one sample with its labels to a mini-batch.
  virtual void append(Split split, std::uint64_t index, Batch& into) const = 0;
  /// How many classes samples fall into, by which shards can be skewed; 0 where they have none.
  virtual std::int64_t classes() const { return 0; }
  virtual std::int64_t class_of(std::uint64_t /*training_sample*/) const { return 0; }
  /// {"name", "made": whether it was made here, …}: what manifests and reports say of it.
  virtual Json describe() const = 0;
};

/// Throws InputError where the data are not there, are damaged, or are not what the model takes.
using MakeDataset = std::unique_ptr<Dataset> (*)(const Parameters&, const Model&, std::uint64_t seed);

const Catalog<MakeDataset>& dataset_catalog();
std::unique_ptr<Dataset> make_dataset(const JsonReader& at, const Model& model, std::uint64_t seed);

/// Refuses a model that does not take samples of this shape (and, of numbers, these ranges), with one loss
/// over these labels and classes.
void require_form(const Model& model, const std::string& data, const Shape& input, std::int64_t rows,
                  std::int64_t classes);

extern const Entry<MakeDataset> kCifar10Data;
extern const Entry<MakeDataset> kCifar100Data;
extern const Entry<MakeDataset> kMnistData;
extern const Entry<MakeDataset> kFashionMnistData;
extern const Entry<MakeDataset> kSafetensorsData;
extern const Entry<MakeDataset> kTextData;
extern const Entry<MakeDataset> kLicencesData;
extern const Entry<MakeDataset> kGrammarData;
extern const Entry<MakeDataset> kImagesData;
extern const Entry<MakeDataset> kMasksData;
extern const Entry<MakeDataset> kFramesData;
extern const Entry<MakeDataset> kRatingsData;

}  // namespace traincast
