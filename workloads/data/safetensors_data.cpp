// Samples of one's own: two tensors of a safetensors file, whose first extent counts samples.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "workloads/data/data_files.hpp"
#include "workloads/data/dataset.hpp"
#include "workloads/trace/safetensors.hpp"

namespace traincast {

namespace {

/// One tensor as features or as whole numbers.
struct Column {
  Shape shape;
  std::vector<float> features;
  std::vector<std::int64_t> numbers;
};

Column read_column(const InputFile& file, const SafetensorsHeader& header, const std::string& name,
                   bool features, FilesDigest& digest) {
  const SafetensorsTensor* tensor = header.find(name);
  auto refuse = [&](const std::string& why) {
    std::uint64_t at = tensor ? header.data_begin + tensor->begin : 0;
    throw InputError(file.path() + (tensor ? ": at byte " + std::to_string(at) : "") + ": '" + name + "' " +
                     why);
  };
  if (!tensor) {
    std::string known;
    for (const SafetensorsTensor& other : header.tensors) known += (known.empty() ? "" : ", ") + other.name;
    refuse("is not in the file; it has " + known);
  }
  const std::string& type = tensor->type;
  bool fits = features ? type == "F32" : type == "I64" || type == "I32" || type == "U8";
  if (!fits) refuse("must be " + std::string(features ? "F32" : "I64, I32 or U8") + ", got " + type);
  if (tensor->shape.empty()) refuse("must have samples as its first extent");
  Column column{tensor->shape, {}, {}};
  std::uint64_t element = safetensors_element_size(type), count = (tensor->end - tensor->begin) / element;
  refuse_without_room(file.path(),
                      static_cast<double>(count) * (features ? sizeof(float) : sizeof(std::int64_t)));
  const auto read = [&](void* into) {
    const std::uint64_t size = tensor->end - tensor->begin;
    file.read_at(header.data_begin + tensor->begin, into, size);
    digest.add(name + " " + type, {static_cast<const char*>(into), size});
  };
  if (features) {
    column.features.resize(count);
    read(column.features.data());
    for (std::uint64_t i = 0; i < count; ++i)
      if (!std::isfinite(column.features[i])) refuse("is not finite at element " + std::to_string(i));
    return column;
  }
  column.numbers.resize(count);
  read(column.numbers.data());
  // Widened where they stand, the last first. Little-endian; the sign of 32 bits is extended.
  const char* bytes = reinterpret_cast<const char*>(column.numbers.data());
  for (std::uint64_t i = count; element < sizeof(std::int64_t) && i-- > 0;) {
    std::int64_t value = 0;
    std::memcpy(&value, bytes + i * element, element);
    column.numbers[i] = type == "I32" ? static_cast<std::int32_t>(value) : value;
  }
  return column;
}

class SafetensorsDataset final : public Dataset {
 public:
  SafetensorsDataset(const Parameters& p, const Model& model) : path_(p.path("path")) {
    FilesDigest digest;
    train_ = read(path_, p, model, digest);
    if (!p.word("test").empty()) test_ = read(p.path("test"), p, model, digest);
    sha256_ = digest.hex();
    // A sample without a label is of no class, and shards by class could not place it.
    if (model.labels() == 1 && std::ranges::min(train_.labels.numbers) >= 0)
      classes_ = std::max<std::int64_t>(2, model.losses[0].classes);
  }
  std::uint64_t size(Split split) const override { return of(split).samples; }
  void append(Split split, std::uint64_t index, Batch& into) const override {
    const Samples& from = of(split);
    auto add = [&](const auto& all, auto& to) {
      auto each = static_cast<std::ptrdiff_t>(all.size() / from.samples);
      auto first = all.begin() + static_cast<std::ptrdiff_t>(index) * each;
      to.insert(to.end(), first, first + each);
    };
    if (!from.input.features.empty()) add(from.input.features, into.features);
    if (!from.input.numbers.empty()) add(from.input.numbers, into.numbers);
    add(from.labels.numbers, into.labels);
    ++into.samples;
  }
  std::int64_t classes() const override { return classes_; }
  std::int64_t class_of(std::uint64_t index) const override { return train_.labels.numbers[index]; }
  Json describe() const override {
    Json json;
    json["name"] = "safetensors";
    json["made"] = false;
    json["path"] = path_;
    json["training_samples"] = train_.samples;
    json["test_samples"] = test_.samples;
    json["sha256"] = sha256_;
    return json;
  }

 private:
  struct Samples {
    std::uint64_t samples = 0;
    Column input, labels;
  };
  const Samples& of(Split split) const { return split == Split::train ? train_ : test_; }

  static Samples read(const std::string& path, const Parameters& p, const Model& model, FilesDigest& digest) {
    InputFile file(path);
    SafetensorsHeader header = parse_safetensors_header(read_safetensors_json(file), file.size(), path);
    const std::string& input = p.word("input");
    const std::string& labels = p.word("labels");
    Samples all{0, read_column(file, header, input, model.input.ranges.empty(), digest),
                read_column(file, header, labels, false, digest)};
    all.samples = static_cast<std::uint64_t>(all.input.shape[0]);
    auto refuse = [&](const std::string& why) { throw InputError(path + ": " + why); };
    auto shown = [](const Shape& shape) {
      std::string text;
      for (std::int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
      return "[" + text + "]";
    };
    Shape expected = model.input.shape;
    expected.insert(expected.begin(), all.input.shape[0]);
    if (all.samples == 0) refuse("'" + input + "' has no samples");
    if (all.input.shape != expected)
      refuse("'" + input + "' is " + shown(all.input.shape) + "; the model takes " + shown(expected));
    std::uint64_t rows = static_cast<std::uint64_t>(model.labels());
    if (all.labels.numbers.size() != all.samples * rows)
      refuse("'" + labels + "' is " + shown(all.labels.shape) + "; the model takes " + std::to_string(rows) +
             " labels for each of " + std::to_string(all.samples) + " samples");
    auto check = [&](const std::string& name, std::int64_t value, std::uint64_t at, std::int64_t bound) {
      if (value < 0 || value >= bound)
        refuse("'" + name + "' is " + std::to_string(value) + " at element " + std::to_string(at) +
               "; it must lie in [0, " + std::to_string(bound) + ")");
    };
    const auto& ranges = model.input.ranges;
    for (std::uint64_t i = 0; i < all.input.numbers.size(); ++i)
      check(input, all.input.numbers[i], i, ranges[ranges.size() > 1 ? i % ranges.size() : 0]);
    for (std::uint64_t i = 0; i < all.labels.numbers.size(); ++i) {
      std::uint64_t row = i % rows;
      auto loss = model.losses.begin();
      while (row >= static_cast<std::uint64_t>(loss->rows)) row -= static_cast<std::uint64_t>((loss++)->rows);
      if (all.labels.numbers[i] != kNoLabel)
        check(labels, all.labels.numbers[i], i, std::max<std::int64_t>(2, loss->classes));
    }
    return all;
  }

  std::string path_, sha256_;
  Samples train_, test_;
  std::int64_t classes_ = 0;
};

constexpr Parameter kTable[] = {
    {"path", Unit::path, "", kRequired, "file of the training samples"},
    {"test", Unit::path, "", "", "file of the test samples, likewise; none where empty"},
    {"input", Unit::path, "", "input", "name of the tensor [samples, …] that the model takes"},
    {"labels", Unit::path, "", "labels", "name of the tensor with the labels"}};

}  // namespace

const Entry<MakeDataset> kSafetensorsData{
    "safetensors", "tensors of one's own, for any model", "huggingface/safetensors", kTable,
    [](const Parameters& p, const Model& m, std::uint64_t) -> std::unique_ptr<Dataset> {
      return std::make_unique<SafetensorsDataset>(p, m);
    }};

}  // namespace traincast
