// What is trained, by whom and on what: a model with its data and optimizer. No LibTorch here;
// traincast-capture carries out the model that an entry describes.
#pragma once

#include "base/catalog.hpp"
#include "workloads/data/shards.hpp"
#include "workloads/models/model_rows.hpp"
#include "workloads/training_rule.hpp"

namespace traincast {

const Catalog<MakeModel>& workload_catalog();

/// The parameters of the entry that `at` names, checked one by one and together (a batch fits into the
/// shard, and the model can be made).
Parameters read_workload(const JsonReader& at);

/// How a workload is trained.
struct Training {
  ShardRule shards;
  Optimizer optimizer;
  RateSchedule schedule;
};
Training read_training(const Parameters& workload);

/// The model of a workload as read_workload takes it.
Model workload_model(const JsonReader& at);

}  // namespace traincast
