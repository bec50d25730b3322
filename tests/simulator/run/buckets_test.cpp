#include "simulator/pass/buckets.hpp"

#include <gtest/gtest.h>

namespace traincast {
namespace {

TensorInfo tensor(std::uint32_t id, std::int64_t kibibytes) {
  return {id, "t" + std::to_string(id), {kibibytes, 256}, "linear.weight"};  // 256 floats are 1 KiB
}

std::vector<std::vector<std::uint32_t>> ids(const std::vector<Bucket>& buckets) {
  std::vector<std::vector<std::uint32_t>> all;
  for (const Bucket& bucket : buckets) {
    all.emplace_back();
    for (const TensorInfo& t : bucket.tensors) all.back().push_back(t.id);
  }
  return all;
}

using Ids = std::vector<std::vector<std::uint32_t>>;

TEST(Buckets, FillInBackwardOrderTheFirstUpToOneMebibyte) {
  std::vector<TensorInfo> layers{tensor(0, 4096), tensor(1, 1024), tensor(2, 1024), tensor(3, 512),
                                 tensor(4, 512)};
  Bucketing two_mebibytes{Bucketing::Kind::bytes, 2 << 20, "2MiB"};
  // 4 and 3 fill the first MiB; 2 and 1 the next two; 0 has a bucket for itself, larger than the limit.
  EXPECT_EQ(ids(make_buckets(layers, two_mebibytes)), (Ids{{4, 3}, {2, 1}, {0}}));
}

TEST(Buckets, ALimitBelowOneMebibyteHoldsForTheFirstToo) {
  std::vector<TensorInfo> layers{tensor(0, 512), tensor(1, 512), tensor(2, 512)};
  Bucketing half{Bucketing::Kind::bytes, 512 << 10, "512KiB"};
  EXPECT_EQ(ids(make_buckets(layers, half)), (Ids{{2}, {1}, {0}}));
}

TEST(Buckets, MayBeEachTensorOrTheWholeModel) {
  std::vector<TensorInfo> layers{tensor(0, 1), tensor(1, 0), tensor(2, 9000)};
  EXPECT_EQ(ids(make_buckets(layers, {Bucketing::Kind::tensor, 0, "tensor"})), (Ids{{2}, {1}, {0}}));
  EXPECT_EQ(ids(make_buckets(layers, {Bucketing::Kind::model, 0, "model"})), (Ids{{2, 1, 0}}));
}

}  // namespace
}  // namespace traincast
