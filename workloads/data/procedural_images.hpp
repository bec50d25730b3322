// Images made from a seed and a number: what models train on where no data set is at hand. They are not
// photographs and stand for none; a trace names them as "procedural images".
#pragma once

#include <cstdint>
#include <span>

namespace traincast {

inline constexpr std::int64_t kImageSide = 32;
inline constexpr std::int64_t kImageChannels = 3;
inline constexpr std::int64_t kImageSize = kImageChannels * kImageSide * kImageSide;
inline constexpr std::int64_t kImageClasses = 10;

/// Fills channels × rows × columns and gives the class, 0 … 9. Depends on (seed, index) alone, the same on
/// every machine; about zero mean and unit variance over many images.
///
/// A class is a grating of its own direction and spacing, and a slight cast of colour. In each image the
/// grating is shifted by up to 0.35 of a period, which leaves a linear signal (with free phases learning
/// stalls at chance for dozens of steps); contrast, colour and brightness vary; another class's grating, at
/// any phase and often as strong, and noise lie over it. The cast is what a network sees that averages over
/// places.
std::int64_t procedural_image(std::uint64_t seed, std::uint64_t index, std::span<float, kImageSize> pixels);

}  // namespace traincast
