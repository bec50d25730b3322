#include "workloads/data/procedural_images.hpp"

#include <array>
#include <cmath>
#include <cstddef>

#include "base/random.hpp"

namespace traincast {

namespace {

struct Direction {
  int across, down;
};

/// A class: the periods of its grating per image width and height, and the cast of its colours.
struct ClassLook {
  Direction direction;
  std::array<float, kImageChannels> cast;
};
constexpr std::array<ClassLook, kImageClasses> kLooks{{{{2, 0}, {1, 1, 1}},
                                                       {{3, 1}, {1, 1, -1}},
                                                       {{2, 2}, {1, -1, 1}},
                                                       {{1, 3}, {1, -1, -1}},
                                                       {{0, 2}, {-1, 1, 1}},
                                                       {{-1, 3}, {-1, 1, -1}},
                                                       {{-2, 2}, {-1, -1, 1}},
                                                       {{-3, 1}, {-1, -1, -1}},
                                                       {{4, 0}, {0, 0, 1}},
                                                       {{0, 4}, {0, 0, -1}}}};

/// A wave over the image: phases count 2^32 to the period, so that they wrap around by themselves.
struct Grating {
  std::uint32_t phase, across, down;

  Grating(std::uint32_t start, Direction direction)
      : phase(start), across(per_pixel(direction.across)), down(per_pixel(direction.down)) {}

  static std::uint32_t per_pixel(int periods) {
    return static_cast<std::uint32_t>(periods) * (UINT32_MAX / kImageSide + 1);
  }
  /// Two parabolas in place of a sine, within 0.06 of it; libm's sine differs between machines.
  float at(std::uint32_t x, std::uint32_t y) const {
    float t = static_cast<float>(static_cast<std::int32_t>(phase + x * across + y * down)) * 0x1p-31f;
    return 4 * t * (1 - std::fabs(t));
  }
};

constexpr double kShift = 0.35;  // of a period; 0.5 would leave nothing for a linear model
constexpr float kCast = 0.25f;
constexpr float kNoise = 0.8f;

}  // namespace

std::int64_t procedural_image(std::uint64_t seed, std::uint64_t index, std::span<float, kImageSize> pixels) {
  RandomStream random({.seed = seed, .purpose = Purpose::data, .step = index});
  auto label = static_cast<std::size_t>(random.below(kImageClasses));
  auto between = [&](double low, double high) {
    return static_cast<float>(low + (high - low) * random.uniform());
  };
  double shift = kShift * (2 * random.uniform() - 1);
  Grating own(static_cast<std::uint32_t>(static_cast<std::int32_t>(shift * 0x1p32)), kLooks[label].direction);
  float contrast = between(0.3, 1.0), clutter_contrast = between(0.0, 0.8);
  auto other = static_cast<std::size_t>(random.below(kImageClasses));
  Grating clutter(random.next(), kLooks[other].direction);
  std::array<float, kImageChannels> colour, brightness;
  for (float& channel : colour) channel = between(0.4, 1.0);
  for (std::size_t i = 0; i < brightness.size(); ++i)
    brightness[i] = kCast * kLooks[label].cast[i] + between(-0.6, 0.6);

  constexpr std::uint32_t side = kImageSide;
  std::array<float, side * side> wave, clutter_wave;
  for (std::uint32_t y = 0; y < side; ++y)
    for (std::uint32_t x = 0; x < side; ++x) {
      wave[y * side + x] = contrast * own.at(x, y);
      clutter_wave[y * side + x] = clutter_contrast * clutter.at(x, y);
    }
  // The sum of two bytes has a standard deviation of sqrt((256² − 1) / 6).
  constexpr float per_byte = kNoise / 104.5f;
  std::size_t place = 0;
  for (std::size_t c = 0; c < colour.size(); ++c)
    for (std::size_t i = 0; i < wave.size(); i += 2) {
      std::uint32_t bits = random.next();
      for (std::size_t j = i; j < i + 2; ++j, bits >>= 16) {
        int bytes = static_cast<int>((bits & 255) + ((bits >> 8) & 255)) - 255;
        pixels[place++] =
            brightness[c] + colour[c] * wave[j] + clutter_wave[j] + per_byte * static_cast<float>(bytes);
      }
    }
  return static_cast<std::int64_t>(label);
}

}  // namespace traincast
