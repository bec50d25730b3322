// The algorithms that the catalog lists, one .cpp each.
#pragma once

#include "simulator/collectives/collective_catalog.hpp"

namespace traincast {

extern const CollectiveAlgorithm kRingAllReduce;
extern const CollectiveAlgorithm kHalvingDoublingAllReduce;
extern const CollectiveAlgorithm kBinomialTreeAllReduce;
extern const CollectiveAlgorithm kRingAllGather;
extern const CollectiveAlgorithm kRecursiveDoublingAllGather;
extern const CollectiveAlgorithm kBinomialBroadcast;

}  // namespace traincast
