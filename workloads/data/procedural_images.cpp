// Images made from a seed and a number, with classes or masks: what models train on where no data set is at
// hand. They are not photographs and stand for none; a trace names them as "procedural images". The same on
// every machine; about zero mean and unit variance over many images.
//
// A class is a pattern: for each channel a torus of kGrid × kGrid colours, normal at random about a
// cast that networks see which average over places, interpolated between. An image is its class's pattern,
// shifted by up to kShift of the side both ways, under another class's pattern at any shift, both at varying
// contrast, with varying brightness and noise. The shift is small enough to leave a linear signal: with free
// shifts learning stalls at chance for dozens of steps.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.hpp"
#include "workloads/data/dataset.hpp"

namespace traincast {

namespace {

constexpr std::size_t kGrid = 8;
constexpr double kShift = 0.06;
constexpr double kCast = 0.15;
// The sum of two bytes has a standard deviation of sqrt((256² − 1) / 6).
constexpr float kPerByte = 1 / 104.5f;

// Keys of a seed's streams: samples by their number with the tensor 0 (training) or 1 (test), patterns
// with 2.
StreamKey sample_key(std::uint64_t seed, Split split, std::uint64_t index) {
  return {.seed = seed, .purpose = Purpose::data, .step = index, .tensor = split == Split::train ? 0u : 1u};
}

float between(RandomStream& random, double low, double high) {
  return static_cast<float>(low + (high - low) * random.uniform());
}

/// Interpolated colours of every class.
class Patterns {
 public:
  Patterns(std::uint64_t seed, std::int64_t classes, std::int64_t channels, std::int64_t side)
      : channels_(static_cast<std::size_t>(channels)), side_(static_cast<std::size_t>(side)) {
    for (std::int64_t c = 0; c < classes; ++c) {
      RandomStream random(
          {.seed = seed, .purpose = Purpose::data, .step = static_cast<std::uint64_t>(c), .tensor = 2});
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        double cast = kCast * random.normal();
        for (std::size_t i = 0; i < kGrid * kGrid; ++i)
          colours_.push_back(static_cast<float>(cast + random.normal()));
      }
    }
  }

  /// Adds `contrast` times the pattern, shifted by parts of the side, to the pixels.
  void add(std::size_t pattern, double across, double down, float contrast, float* pixels) const {
    const float* grid = colours_.data() + pattern * channels_ * kGrid * kGrid;
    std::vector<Place> columns = places(across), rows = places(down);
    for (std::size_t channel = 0; channel < channels_; ++channel, grid += kGrid * kGrid)
      for (const Place& row : rows)
        for (const Place& column : columns) {
          float above =
              mix(grid[row.low * kGrid + column.low], grid[row.low * kGrid + column.high], column.part);
          float below =
              mix(grid[row.high * kGrid + column.low], grid[row.high * kGrid + column.high], column.part);
          *pixels++ += contrast * mix(above, below, row.part);
        }
  }

 private:
  struct Place {
    std::size_t low, high;
    float part;
  };
  static float mix(float a, float b, float part) { return a + (b - a) * part; }
  std::vector<Place> places(double shift) const {
    std::vector<Place> all;
    for (std::size_t i = 0; i < side_; ++i) {
      double at = (static_cast<double>(i) / static_cast<double>(side_) + shift + 1) * kGrid;
      auto low = static_cast<std::size_t>(at);
      all.push_back({low % kGrid, (low + 1) % kGrid, static_cast<float>(at - static_cast<double>(low))});
    }
    return all;
  }

  std::size_t channels_, side_;
  std::vector<float> colours_;
};

/// Then scales to unit variance.
void add_noise(RandomStream& random, float deviation, std::span<float> pixels) {
  const float scale = 1 / std::sqrt(0.4f + deviation * deviation);
  for (std::size_t i = 0; i < pixels.size(); i += 2) {
    std::uint32_t bits = random.next();
    for (std::size_t j = i; j < std::min(i + 2, pixels.size()); ++j, bits >>= 16) {
      int bytes = static_cast<int>((bits & 255) + ((bits >> 8) & 255)) - 255;
      pixels[j] = scale * (pixels[j] + deviation * kPerByte * static_cast<float>(bytes));
    }
  }
}

/// Patterns of a seed's classes, in images as the model takes them.
class MadeOfPatterns : public Dataset {
 public:
  /// `places`: whether every place of an image has a label, or the whole one.
  MadeOfPatterns(const char* name, const Parameters& p, const Model& model, std::uint64_t seed, bool places)
      : seed_(seed),
        noise_(static_cast<float>(p.number("noise"))),
        classes_(model.losses.front().classes),
        shape_(model.input.shape),
        name_(name) {
    const Shape taken = shape_.size() == 3 ? shape_ : Shape{3, 32, 32};
    require_form(model, name, taken, places ? taken[1] * taken[2] : 1, classes_);
    patterns_.emplace(seed, classes_, shape_[0], shape_[1]);
  }
  std::uint64_t size(Split) const override { return kEndless; }
  Json describe() const override {
    Json json;
    json["name"] = name_;
    json["made"] = true;
    json["classes"] = classes_;
    json["noise"] = static_cast<double>(noise_);
    return json;
  }

 protected:
  std::uint64_t seed_;
  float noise_;
  std::int64_t classes_;
  Shape shape_;
  std::optional<Patterns> patterns_;

 private:
  const char* name_;
};

class MadeImages final : public MadeOfPatterns {
 public:
  MadeImages(const Parameters& p, const Model& model, std::uint64_t seed)
      : MadeOfPatterns("procedural images", p, model, seed, false) {}
  std::int64_t classes() const override { return classes_; }
  std::int64_t class_of(std::uint64_t index) const override {
    RandomStream random(sample_key(seed_, Split::train, index));
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes_)));
  }
  void append(Split split, std::uint64_t index, Batch& into) const override {
    RandomStream random(sample_key(seed_, split, index));
    auto any_class = [&] { return random.below(static_cast<std::uint64_t>(classes_)); };
    std::uint64_t label = any_class(), other = any_class();
    std::size_t begin = into.features.size(),
                size = static_cast<std::size_t>(shape_[0] * shape_[1] * shape_[2]);
    into.features.resize(begin + size);
    std::span<float> pixels(into.features.data() + begin, size);
    std::size_t plane = size / static_cast<std::size_t>(shape_[0]);
    for (std::int64_t channel = 0; channel < shape_[0]; ++channel)
      std::ranges::fill(pixels.subspan(static_cast<std::size_t>(channel) * plane, plane),
                        between(random, -0.2, 0.2));
    double across = between(random, -kShift, kShift), down = between(random, -kShift, kShift);
    patterns_->add(label, across, down, between(random, 0.4, 1.0), pixels.data());
    across = random.uniform(), down = random.uniform();
    patterns_->add(other, across, down, between(random, 0, 0.8), pixels.data());
    add_noise(random, noise_, pixels);
    into.labels.push_back(static_cast<std::int64_t>(label));
    ++into.samples;
  }
};

/// Up to three discs, each of a class's pattern, over that of class 0, the ground; the label of a place is
/// the class that is seen there.
class MadeMasks final : public MadeOfPatterns {
 public:
  MadeMasks(const Parameters& p, const Model& model, std::uint64_t seed)
      : MadeOfPatterns("procedural masks", p, model, seed, true) {}
  void append(Split split, std::uint64_t index, Batch& into) const override {
    RandomStream random(sample_key(seed_, split, index));
    auto side = static_cast<std::size_t>(shape_[1]);
    std::size_t plane = side * side, size = plane * static_cast<std::size_t>(shape_[0]);
    std::vector<std::size_t> seen(plane, 0);
    for (std::uint64_t discs = 1 + random.below(3); discs > 0; --discs) {
      std::size_t label = 1 + random.below(static_cast<std::uint64_t>(classes_ - 1));
      double extent = static_cast<double>(side), x = random.uniform() * extent, y = random.uniform() * extent;
      double radius = (0.1 + 0.2 * random.uniform()) * extent;
      for (std::size_t at = 0; at < plane; ++at) {
        double dx = static_cast<double>(at % side) - x, dy = static_cast<double>(at / side) - y;
        if (dx * dx + dy * dy < radius * radius) seen[at] = label;
      }
    }
    std::size_t begin = into.features.size();
    into.features.resize(begin + size);
    std::span<float> pixels(into.features.data() + begin, size);
    std::vector<float> pattern(size);
    for (std::size_t label = 0; label < static_cast<std::size_t>(classes_); ++label) {
      if (std::ranges::find(seen, label) == seen.end()) continue;
      std::ranges::fill(pattern, 0.0f);
      double across = random.uniform(), down = random.uniform();
      patterns_->add(label, across, down, 1, pattern.data());
      for (std::size_t i = 0; i < size; ++i)
        if (seen[i % plane] == label) pixels[i] = pattern[i];
    }
    add_noise(random, noise_, pixels);
    into.labels.insert(into.labels.end(), seen.begin(), seen.end());
    ++into.samples;
  }
};

constexpr Parameter kNoisy[] = {
    {"noise", Unit::ratio, "[0, 10]", "3",
     "deviation of the noise; that of a pattern and what lies over it is about 0.6"}};

template <class Made>
std::unique_ptr<Dataset> make(const Parameters& p, const Model& model, std::uint64_t seed) {
  return std::make_unique<Made>(p, model, seed);
}

}  // namespace

const Entry<MakeDataset> kImagesData{"images",
                                     "made images of any size in any number of classes: shifted patterns",
                                     "of our own", kNoisy, make<MadeImages>};
const Entry<MakeDataset> kMasksData{"masks", "made images with a class for every place: discs over a ground",
                                    "of our own", kNoisy, make<MadeMasks>};

}  // namespace traincast
