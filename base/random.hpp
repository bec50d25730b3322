// Counter-based random numbers: a stream is a pure function of its key, so that no result depends on the
// order in which learners, tensors or steps are walked, nor on the number of threads. The same on every
// machine: integer arithmetic, IEEE operations and square roots only.
#pragma once

#include <array>
#include <cstdint>

namespace traincast {

/// What a stream is for; part of its key, so that two uses never share numbers.
enum class Purpose : std::uint32_t {
  parameters = 1,  ///< a model's initial parameters
  data = 2,        ///< procedural data
  shuffle = 3,     ///< the order of samples
  compressor = 4,  ///< draws of a compressor for one learner
  shared = 5,      ///< draws that all learners share
  placement = 6,   ///< which learner is where
  routing = 7,     ///< which of several paths
  memory = 8,      ///< rounding of error memories
};

struct StreamKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::data;
  std::uint64_t step = 0;
  std::uint32_t learner = 0;
  std::uint32_t tensor = 0;
};

/// Philox4x32-10 (Salmon et al., SC 2011), keyed by a hash of the StreamKey.
class RandomStream {
 public:
  explicit RandomStream(const StreamKey& key);

  std::uint32_t next();
  double uniform();                          ///< [0, 1), 53 bits
  double normal();                           ///< N(0, 1), Marsaglia's polar method
  std::uint64_t below(std::uint64_t bound);  ///< [0, bound), unbiased; bound > 0

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// Philox4x32-10 itself, for its published test vectors.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

}  // namespace traincast
