// CIFAR-10 and CIFAR-100 in their binary form (Krizhevsky 2009): records of labels and 3072 bytes, planes of
// red, green and blue; MNIST and Fashion-MNIST in IDX (LeCun's format): big-endian extents, then bytes.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <span>

#include "base/error.hpp"
#include "workloads/data/data_files.hpp"
#include "workloads/data/dataset.hpp"
#include "workloads/trace/input_file.hpp"

namespace traincast {

namespace {

using Bytes8 = std::vector<std::uint8_t>;

/// Images of one split as they stand in files.
struct Images {
  Bytes8 pixels;  ///< samples × channels × rows × columns
  Bytes8 labels;
};

[[noreturn]] void refuse(const std::string& file, std::uint64_t offset, const std::string& why) {
  throw InputError(file + ": at byte " + std::to_string(offset) + ": " + why);
}

std::string name_of(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes8 read_all(const std::string& path, FilesDigest& digest) {
  const InputFile file(path);
  refuse_without_room(path, static_cast<double>(file.size()));
  Bytes8 bytes(file.size());
  file.read_at(0, bytes.data(), bytes.size());
  digest.add(name_of(path), text_of(bytes));
  return bytes;
}

std::uint8_t checked_label(const std::string& file, std::uint64_t offset, std::uint8_t label, int classes) {
  if (label >= classes)
    refuse(
        file, offset,
        "the label is " + std::to_string(label) + ", and there are " + std::to_string(classes) + " classes");
  return label;
}

/// Each channel with zero mean and unit deviation over the training images.
class ImageDataset final : public Dataset {
 public:
  ImageDataset(std::string name, Shape shape, int classes, Images train, Images test, std::string sha256)
      : name_(std::move(name)),
        shape_(std::move(shape)),
        classes_(classes),
        train_(std::move(train)),
        test_(std::move(test)),
        sha256_(std::move(sha256)) {
    std::uint64_t plane = static_cast<std::uint64_t>(shape_[1] * shape_[2]);
    for (std::int64_t channel = 0; channel < shape_[0]; ++channel) {
      std::uint64_t sum = 0, squares = 0, count = train_.labels.size() * plane;
      for (std::uint64_t i = 0; i < train_.labels.size(); ++i) {
        const std::uint8_t* from = pixels(train_, i) + static_cast<std::uint64_t>(channel) * plane;
        for (std::uint64_t p = 0; p < plane; ++p) sum += from[p], squares += std::uint64_t{from[p]} * from[p];
      }
      double mean = static_cast<double>(sum) / static_cast<double>(count);
      double variance = static_cast<double>(squares) / static_cast<double>(count) - mean * mean;
      mean_.push_back(static_cast<float>(mean));
      scale_.push_back(static_cast<float>(variance > 0 ? 1 / std::sqrt(variance) : 1));
    }
  }

  std::uint64_t size(Split split) const override { return of(split).labels.size(); }
  void append(Split split, std::uint64_t index, Batch& into) const override {
    const std::uint8_t* from = pixels(of(split), index);
    auto plane = static_cast<std::size_t>(shape_[1] * shape_[2]);
    for (std::size_t channel = 0; channel < mean_.size(); ++channel)
      for (std::size_t p = 0; p < plane; ++p)
        into.features.push_back((static_cast<float>(*from++) - mean_[channel]) * scale_[channel]);
    into.labels.push_back(of(split).labels[index]);
    ++into.samples;
  }
  std::int64_t classes() const override { return classes_; }
  std::int64_t class_of(std::uint64_t index) const override { return train_.labels[index]; }
  Json describe() const override {
    Json json;
    json["name"] = name_;
    json["made"] = false;
    json["classes"] = classes_;
    json["training_samples"] = train_.labels.size();
    json["test_samples"] = test_.labels.size();
    json["sha256"] = sha256_;
    return json;
  }

 private:
  const Images& of(Split split) const { return split == Split::train ? train_ : test_; }
  const std::uint8_t* pixels(const Images& images, std::uint64_t index) const {
    return images.pixels.data() + index * static_cast<std::uint64_t>(shape_[0] * shape_[1] * shape_[2]);
  }

  std::string name_;
  Shape shape_;
  std::int64_t classes_;
  Images train_, test_;
  std::string sha256_;
  std::vector<float> mean_, scale_;
};

/// The last of a record's `label_bytes` is the label (CIFAR-100: coarse, then fine).
void read_cifar(const std::string& path, std::uint64_t label_bytes, int classes, Images& into,
                FilesDigest& digest) {
  constexpr std::uint64_t image = 3 * 32 * 32;
  const std::uint64_t record = label_bytes + image;
  const InputFile file(path);
  if (file.size() == 0) refuse(path, 0, "the file is empty");
  // Whole records are read to where the images will stand, and labels taken out of their midst.
  const std::uint64_t before = into.pixels.size();
  into.pixels.resize(before + file.size());
  std::uint8_t* const bytes = into.pixels.data() + before;
  std::uint8_t* to = bytes;
  file.read_at(0, bytes, file.size());
  digest.add(name_of(path), text_of({bytes, file.size()}));
  for (std::uint64_t at = 0; at < file.size(); at += record) {
    if (file.size() - at < record)
      refuse(path, at,
             "a record of " + std::to_string(record) + " bytes begins, and " +
                 std::to_string(file.size() - at) + " are left: the file is cut short, or not of this form");
    std::uint64_t label = at + label_bytes - 1;
    into.labels.push_back(checked_label(path, label, bytes[label], classes));
    to = std::copy_n(bytes + label + 1, image, to);
  }
  into.pixels.resize(static_cast<std::size_t>(to - into.pixels.data()));
}

std::unique_ptr<Dataset> cifar(const Parameters& p, const Model& model, bool hundred) {
  std::string name = hundred ? "cifar100" : "cifar10";
  int classes = hundred ? 100 : 10;
  require_form(model, name, {3, 32, 32}, 1, classes);
  std::filesystem::path folder = p.path("path");
  Images train, test;
  FilesDigest digest;
  std::vector<std::string> files{"train.bin"};
  if (!hundred) {
    files.clear();
    for (int i = 1; i <= 5; ++i) files.push_back("data_batch_" + std::to_string(i) + ".bin");
  }
  const auto read = [&](const std::string& file, Images& into) {
    read_cifar((folder / file).string(), hundred ? 2 : 1, classes, into, digest);
  };
  std::uint64_t room = 0;
  for (const std::string& file : files) room += InputFile((folder / file).string()).size();
  refuse_without_room(folder.string(), static_cast<double>(room));
  train.pixels.reserve(room);
  for (const std::string& file : files) read(file, train);
  read(hundred ? "test.bin" : "test_batch.bin", test);
  return std::make_unique<ImageDataset>(name, Shape{3, 32, 32}, classes, std::move(train), std::move(test),
                                        digest.hex());
}

/// The bytes behind the extents, which must be these.
Bytes8 read_idx(const std::string& path, std::vector<std::uint32_t> extents, FilesDigest& digest) {
  Bytes8 bytes = read_all(path, digest);
  std::uint64_t header = 4 + 4 * extents.size(), expected = 1;
  if (bytes.size() < header)
    refuse(path, bytes.size(), "the file ends inside its header of " + std::to_string(header) + " bytes");
  auto word = [&](std::uint64_t at) {
    return static_cast<std::uint32_t>(bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 |
                                      bytes[at + 3]);
  };
  std::uint32_t magic = 0x800 + static_cast<std::uint32_t>(extents.size());
  if (word(0) != magic)
    refuse(path, 0,
           "the file must begin with " + std::to_string(magic) + " (bytes of rank " +
               std::to_string(extents.size()) + "), got " + std::to_string(word(0)) +
               (bytes[0] == 0x1f && bytes[1] == 0x8b ? ": it is packed by gzip, unpack it first" : ""));
  for (std::size_t i = 0; i < extents.size(); ++i) {
    std::uint32_t extent = word(4 + 4 * i);
    if (i > 0 && extent != extents[i])
      refuse(path, 4 + 4 * i, "must be " + std::to_string(extents[i]) + ", got " + std::to_string(extent));
    expected *= extent;
  }
  if (bytes.size() - header != expected || expected == 0)
    refuse(path, bytes.size(),
           "the header tells of " + std::to_string(expected) + " bytes, and " +
               std::to_string(bytes.size() - header) + " follow it");
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return bytes;
}

std::unique_ptr<Dataset> idx(const std::string& name, const Parameters& p, const Model& model) {
  require_form(model, name, {1, 28, 28}, 1, 10);
  std::filesystem::path folder = p.path("path");
  FilesDigest digest;
  auto read = [&](const std::string& prefix) {
    std::string images = (folder / (prefix + "-images-idx3-ubyte")).string();
    std::string labels = (folder / (prefix + "-labels-idx1-ubyte")).string();
    Images all{read_idx(images, {0, 28, 28}, digest), read_idx(labels, {0}, digest)};
    if (all.pixels.size() != all.labels.size() * 784)
      refuse(labels, 4,
             std::to_string(all.labels.size()) + " labels for " + std::to_string(all.pixels.size() / 784) +
                 " images in " + images);
    for (std::uint64_t i = 0; i < all.labels.size(); ++i) checked_label(labels, 8 + i, all.labels[i], 10);
    return all;
  };
  Images train = read("train"), test = read("t10k");
  return std::make_unique<ImageDataset>(name, Shape{1, 28, 28}, 10, std::move(train), std::move(test),
                                        digest.hex());
}

constexpr Parameter kCifar10[] = {{"path", Unit::path, "", kRequired,
                                   "folder with data_batch_1.bin … data_batch_5.bin and test_batch.bin"}};
constexpr Parameter kCifar100[] = {{"path", Unit::path, "", kRequired, "folder with train.bin and test.bin"}};
constexpr Parameter kIdx[] = {
    {"path", Unit::path, "", kRequired,
     "folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and t10k's, unpacked"}};

}  // namespace

const Entry<MakeDataset> kCifar10Data{
    "cifar10", "photographs of 32x32 in 10 classes, binary version", "Krizhevsky 2009", kCifar10,
    [](const Parameters& p, const Model& m, std::uint64_t) { return cifar(p, m, false); }};
const Entry<MakeDataset> kCifar100Data{
    "cifar100", "photographs of 32x32 in 100 (fine) classes, binary version", "Krizhevsky 2009", kCifar100,
    [](const Parameters& p, const Model& m, std::uint64_t) { return cifar(p, m, true); }};
const Entry<MakeDataset> kMnistData{
    "mnist", "handwritten digits of 28x28, IDX files", "LeCun et al. 1998", kIdx,
    [](const Parameters& p, const Model& m, std::uint64_t) { return idx("mnist", p, m); }};
const Entry<MakeDataset> kFashionMnistData{
    "fashion_mnist", "articles of clothing of 28x28, IDX files", "Xiao et al. 2017", kIdx,
    [](const Parameters& p, const Model& m, std::uint64_t) { return idx("fashion_mnist", p, m); }};

}  // namespace traincast
