// Models as tables: every tensor with its shape, kind, and what its layer costs. Those of the workloads are
// read off their models; a table of your own is a JSON file.
#pragma once

#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "base/json.hpp"
#include "workloads/timeline/layer_cost.hpp"

namespace traincast {

struct LayerTable {
  std::string name, sample, source;
  std::vector<TensorInfo> layers;  ///< in order of definition; backward goes through them from the end
  std::vector<LayerCost> costs;    ///< of each
};

/// {format: 1, name, sample, source, parameters, layers: [{name, shape, kind, flops, bytes, backward_bytes,
/// operations}]}; parameters must be the sum over the shapes.
LayerTable read_layer_table(const JsonReader& root);

/// The workloads, and variants of them: bert_base is BERT's body alone, lstm_wikitext2 the model of
/// PowerSGD's paper, resnet50_tensorflow has its shapes as TensorFlow keeps them.
std::vector<std::string> layer_table_names();
/// Refuses names that are neither known nor those of files, with the nearest known one.
void refuse_unknown_table(const JsonReader& at);
/// The table that `at` names, or, where it ends in ".json", that of the file, whose path is relative to
/// at.file().
LayerTable find_layer_table(const JsonReader& at);

}  // namespace traincast
