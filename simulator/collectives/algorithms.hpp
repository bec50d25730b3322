// The algorithms that the catalog lists, a .cpp for each idea.
#pragma once

#include "simulator/collectives/collective_catalog.hpp"

namespace traincast {

extern const CollectiveAlgorithm kRingAllReduce;
extern const CollectiveAlgorithm kHalvingDoublingAllReduce;
extern const CollectiveAlgorithm kBinomialTreeAllReduce;
extern const CollectiveAlgorithm kRecursiveDoublingAllReduce;
extern const CollectiveAlgorithm kBidirectionalRingAllReduce;
extern const CollectiveAlgorithm kDoubleBinaryTreeAllReduce;
extern const CollectiveAlgorithm kHierarchicalAllReduce;
extern const CollectiveAlgorithm kTorusAllReduce;
extern const CollectiveAlgorithm kRingAllGather;
extern const CollectiveAlgorithm kRecursiveDoublingAllGather;
extern const CollectiveAlgorithm kBinomialBroadcast;

}  // namespace traincast
