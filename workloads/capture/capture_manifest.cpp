#include "workloads/capture/capture_manifest.hpp"

namespace traincast {

namespace {

/// A choice as an object, whether it was given as one or as a bare name.
Json named(const JsonReader& choice) {
  if (choice.value().is_object()) return choice.value();
  Json json;
  json["name"] = choice.value();
  return json;
}

}  // namespace

Manifest manifest_of(const CaptureRequest& request, const Dataset& data, const Network& network) {
  const Parameters& p = request.parameters;
  Manifest m;
  m.model = request.workload;
  m.workload = p.resolved();
  m.layers = request.model.layers;
  m.learners = request.learners;
  m.seed = request.seed;
  m.values = request.values;
  m.device = network.device_name();
  m.optimizer = named(p.choice("optimizer"));
  m.optimizer["learning_rate"] = p.number("learning_rate");
  m.optimizer["momentum"] = p.number("momentum");
  m.optimizer["schedule"] = p.choice("schedule").value();
  m.data = data.describe();
  m.data["batch"] = p.count("batch");
  m.data["samples_per_learner"] = p.count("samples_per_learner");
  m.data["shards"] = p.choice("shards").value();
  m.versions["traincast"] = TRAINCAST_VERSION;
  m.versions["libtorch"] = libtorch_version();
  if (network.on_cuda()) m.versions["cuda"] = network.cuda_version();
  m.versions["compiler"] = __VERSION__;
  return m;
}

}  // namespace traincast
