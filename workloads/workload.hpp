// What is trained, by whom and on what: a model with its data and optimizer. No LibTorch here;
// traincast-capture builds the model that an entry names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/catalog.hpp"
#include "base/exchange.hpp"
#include "workloads/timeline/layer_cost.hpp"

namespace traincast {

/// The layers that an entry has with these parameters: what the captured trace will hold, in order of
/// definition.
using WorkloadLayers = std::vector<TensorInfo> (*)(const Parameters&);

const Catalog<WorkloadLayers>& workload_catalog();

/// What each of an entry's layers costs.
std::vector<LayerCost> workload_costs(std::string_view name, const std::vector<TensorInfo>& layers);

/// The parameters of the entry that `at` names, checked one by one and together (a batch fits into the
/// shard).
Parameters read_workload(const JsonReader& at);

}  // namespace traincast
