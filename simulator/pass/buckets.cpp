#include "simulator/pass/buckets.hpp"

#include <algorithm>
#include <limits>

namespace traincast {

std::vector<Bucket> make_buckets(std::span<const TensorInfo> layers, const Bucketing& bucketing) {
  constexpr Bytes kFirstBucket = 1 << 20;
  Bytes limit = bucketing.limit;
  if (bucketing.kind == Bucketing::Kind::tensor) limit = 0;
  if (bucketing.kind == Bucketing::Kind::model) limit = std::numeric_limits<Bytes>::max();
  bool ddp = bucketing.kind == Bucketing::Kind::bytes;
  std::vector<Bucket> buckets;
  Bytes filled = 0;
  bool open = false;
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (!open) {
      buckets.push_back({static_cast<std::uint32_t>(buckets.size()), {}});
      filled = 0;
      open = true;
    }
    buckets.back().tensors.push_back(layers[i]);
    filled += 4 * layers[i].numel();
    Bytes full = ddp && buckets.size() == 1 ? std::min(limit, kFirstBucket) : limit;
    open = filled < full;
  }
  return buckets;
}

}  // namespace traincast
