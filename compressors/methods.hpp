// The catalog's rows: each is defined in the file of its name, with its parameters; and what methods lend
// each other.
#pragma once

#include <cstdint>

#include "compressors/compressor_catalog.hpp"

namespace traincast {

extern const Entry<MakeCompressor> kAcpSgdMethod;
extern const Entry<MakeCompressor> kArTopKMethod;
extern const Entry<MakeCompressor> kBestRankMethod;
extern const Entry<MakeCompressor> kAtomoMethod;
extern const Entry<MakeCompressor> kByStepMethod;
extern const Entry<MakeCompressor> kCgxMethod;
extern const Entry<MakeCompressor> kDettmers8Method;
extern const Entry<MakeCompressor> kDgcMethod;
extern const Entry<MakeCompressor> kEdenMethod;
extern const Entry<MakeCompressor> kEfSignSgdMethod;
extern const Entry<MakeCompressor> kFoSgdMethod;
extern const Entry<MakeCompressor> kFp16Method;
extern const Entry<MakeCompressor> kGTopKMethod;
extern const Entry<MakeCompressor> kGradiVeQMethod;
extern const Entry<MakeCompressor> kHierarchicalMethod;
extern const Entry<MakeCompressor> kInt8Method;
extern const Entry<MakeCompressor> kLsgMethod;
extern const Entry<MakeCompressor> kMsTopKMethod;
extern const Entry<MakeCompressor> kNaturalMethod;
extern const Entry<MakeCompressor> kNoneMethod;
extern const Entry<MakeCompressor> kOkTopKMethod;
extern const Entry<MakeCompressor> kOmniReduceMethod;
extern const Entry<MakeCompressor> kOneBitAdamMethod;
extern const Entry<MakeCompressor> kOneBitSgdMethod;
extern const Entry<MakeCompressor> kPerLayerMethod;
extern const Entry<MakeCompressor> kPowerSgdMethod;
extern const Entry<MakeCompressor> kPowerSgdAlternatingMethod;
extern const Entry<MakeCompressor> kPowerSgdBatchedMethod;
extern const Entry<MakeCompressor> kPowerSgdHookMethod;
extern const Entry<MakeCompressor> kPowerSgdTopKMethod;
extern const Entry<MakeCompressor> kQsgdMethod;
extern const Entry<MakeCompressor> kQsgdMaxNormMethod;
extern const Entry<MakeCompressor> kRandomBlockMethod;
extern const Entry<MakeCompressor> kRandomKMethod;
extern const Entry<MakeCompressor> kRandomMaskMethod;
extern const Entry<MakeCompressor> kScaleComMethod;
extern const Entry<MakeCompressor> kSharedMaskMethod;
extern const Entry<MakeCompressor> kSidcoMethod;
extern const Entry<MakeCompressor> kSignNormMethod;
extern const Entry<MakeCompressor> kSignSgdMethod;
extern const Entry<MakeCompressor> kSignumMethod;
extern const Entry<MakeCompressor> kTbqMethod;
extern const Entry<MakeCompressor> kTernGradMethod;
extern const Entry<MakeCompressor> kThcMethod;
extern const Entry<MakeCompressor> kThresholdMethod;
extern const Entry<MakeCompressor> kTopKMethod;
extern const Entry<MakeCompressor> kTwoSidedMethod;
extern const Entry<MakeCompressor> kUnbiasedRankMethod;
extern const Entry<MakeCompressor> kWangniMethod;
extern const Entry<MakeCompressor> kZeroPlusPlusMethod;

/// Entries that a share of a tensor makes: at least one, none of an empty tensor. The small term keeps
/// products that are whole numbers from falling below them.
std::uint64_t share_of(double density, std::uint64_t numel);

}  // namespace traincast
