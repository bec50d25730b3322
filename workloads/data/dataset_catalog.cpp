#include "base/error.hpp"
#include "workloads/data/dataset.hpp"

namespace traincast {

namespace {

std::string shown(const Shape& shape) {
  std::string text;
  for (std::int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

std::string form(const Shape& input, std::int64_t rows, std::int64_t classes) {
  return shown(input) + " in " + std::to_string(classes) + " classes" +
         (rows == 1 ? "" : ", " + std::to_string(rows) + " labels a sample");
}

}  // namespace

const Catalog<MakeDataset>& dataset_catalog() {
  static const Entry<MakeDataset> entries[] = {
      kImagesData, kMasksData,   kFramesData,   kRatingsData, kGrammarData,      kLicencesData,
      kTextData,   kCifar10Data, kCifar100Data, kMnistData,   kFashionMnistData, kSafetensorsData,
  };
  static const Catalog<MakeDataset> catalog("data", "data", entries);
  return catalog;
}

std::unique_ptr<Dataset> make_dataset(const JsonReader& at, const Model& model, std::uint64_t seed) {
  const auto& entry = dataset_catalog().find(at);
  return entry.make(read_parameters(at, entry.name, entry.parameters), model, seed);
}

void require_form(const Model& model, const std::string& data, const Shape& input, std::int64_t rows,
                  std::int64_t classes) {
  const Loss& loss = model.losses.front();
  if (model.losses.size() == 1 && model.input.ranges.empty() && model.input.shape == input &&
      loss.rows == rows && loss.classes == classes)
    return;
  std::string takes = !model.input.ranges.empty() ? "numbers, not features"
                                                  : form(model.input.shape, loss.rows, loss.classes);
  throw InputError(data + ": samples are " + form(input, rows, classes) + "; the model takes " + takes +
                   " (its side, channels and classes are parameters)");
}

}  // namespace traincast
