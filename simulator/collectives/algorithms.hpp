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
extern const CollectiveAlgorithm kBruckAllGather;
extern const CollectiveAlgorithm kHierarchicalAllGather;
extern const CollectiveAlgorithm kPaddedRingAllGather;
extern const CollectiveAlgorithm kBinomialBroadcast;
extern const CollectiveAlgorithm kPipelinedRingBroadcast;
extern const CollectiveAlgorithm kRingReduceScatter;
extern const CollectiveAlgorithm kRecursiveHalvingReduceScatter;
extern const CollectiveAlgorithm kPairwiseAllToAll;
extern const CollectiveAlgorithm kMultiRingAllReduce;
extern const CollectiveAlgorithm kBidirectionalRingAllGather;
extern const CollectiveAlgorithm kGroupedBroadcastsAllGather;
extern const CollectiveAlgorithm kScatterAllGatherBroadcast;
extern const CollectiveAlgorithm kRecursiveDoublingSparseAllReduce;
extern const CollectiveAlgorithm kServersPushPull;
extern const CollectiveAlgorithm kColocatedPushPull;
extern const CollectiveAlgorithm kRingNeighbours;
extern const CollectiveAlgorithm kTorusNeighbours;
extern const CollectiveAlgorithm kExponentialNeighbours;
extern const CollectiveAlgorithm kOnePeerNeighbours;
extern const CollectiveAlgorithm kGivenRounds;
extern const CollectiveAlgorithm kRingSparseAllReduce;

}  // namespace traincast
