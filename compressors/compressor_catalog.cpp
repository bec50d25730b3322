#include "compressors/compressor_catalog.hpp"

#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr std::string_view kTraining = "it is a way of training, which a scenario names under \"training\"";

constexpr Planned kPlanned[] = {
    {"bf16", "it is 'none' with 'precision': bf16"},
    {"sasg", kTraining},
    {"lasg", kTraining},
    {"dad", kTraining},
    {"edad", kTraining},
    {"rank_dad", kTraining},
    {"local_sgd", kTraining},
};

}  // namespace

const Catalog<MakeCompressor>& compressor_catalog() {
  // clang-format off
  static const Entry<MakeCompressor> methods[] = {
      // dense
      kNoneMethod,
      kFp16Method,
      // sparse
      kTopKMethod,
      kRandomKMethod,
      kRandomBlockMethod,
      kRandomMaskMethod,
      kSharedMaskMethod,
      kThresholdMethod,
      kWangniMethod,
      kDgcMethod,
      kSidcoMethod,
      kMsTopKMethod,
      kScaleComMethod,
      kArTopKMethod,
      kGTopKMethod,
      kOkTopKMethod,
      kOmniReduceMethod,
      // quantised
      kInt8Method,
      kQsgdMethod,
      kQsgdMaxNormMethod,
      kTernGradMethod,
      kNaturalMethod,
      kOneBitSgdMethod,
      kOneBitAdamMethod,
      kSignSgdMethod,
      kSignumMethod,
      kEfSignSgdMethod,
      kSignNormMethod,
      kTbqMethod,
      kDettmers8Method,
      kFoSgdMethod,
      kEdenMethod,
      kThcMethod,
      kCgxMethod,
      kZeroPlusPlusMethod,
      // low rank
      kPowerSgdMethod,
      kPowerSgdHookMethod,
      kPowerSgdBatchedMethod,
      kPowerSgdAlternatingMethod,
      kAcpSgdMethod,
      kUnbiasedRankMethod,
      kBestRankMethod,
      kAtomoMethod,
      kGradiVeQMethod,
      kLsgMethod,
      // low rank and sparse
      kPowerSgdTopKMethod,
      // policies
      kPerLayerMethod,
      kByStepMethod,
      kTwoSidedMethod,
      kHierarchicalMethod,
  };
  // clang-format on
  static const Catalog<MakeCompressor> catalog("compressors", "compressor", methods, kPlanned);
  return catalog;
}

}  // namespace traincast
