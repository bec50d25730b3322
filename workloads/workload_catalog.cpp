#include "base/error.hpp"
#include "workloads/models/model_rows.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

constexpr Planned kPlanned[] = {
    {"lstm", "there are lstm_words, lstm_characters and lstm_speech"},
    {"resnet",
     "there are resnet18, resnet50, resnet101 and, for CIFAR, resnet18_cifar and resnet20 of any depth"},
    {"alexnet", "vgg16 is the nearest to it"},
};

}  // namespace

const Catalog<MakeModel>& workload_catalog() {
  static const Entry<MakeModel> entries[] = {
      kMlpModel,      kConvnetModel,   kResNet20Model,       kResNet18CifarModel, kResNet18Model,
      kResNet50Model, kResNet101Model, kVgg16Model,          kVgg19Model,         kMobileNetV2Model,
      kUNetModel,     kLstmWordsModel, kLstmCharactersModel, kLstmSpeechModel,    kGruClassifierModel,
      kGptModel,      kBertModel,      kTransformerModel,    kNcfModel,
  };
  static const Catalog<MakeModel> catalog("workloads", "workload", entries, kPlanned);
  return catalog;
}

Parameters read_workload(const JsonReader& at) {
  const auto& entry = workload_catalog().find(at);
  Parameters parameters = read_parameters(at, entry.name, entry.parameters);
  if (parameters.count("batch") > parameters.count("samples_per_learner"))
    at.refuse("batch must not exceed samples_per_learner, got " + std::to_string(parameters.count("batch")) +
              " and " + std::to_string(parameters.count("samples_per_learner")));
  JsonReader data = parameters.choice("data");
  const auto& source = dataset_catalog().find(data);
  read_parameters(data, source.name, source.parameters);
  read_training(parameters);
  try {
    entry.make(parameters);
  } catch (const PlacedError&) {
    throw;
  } catch (const InputError& error) {
    at.refuse(error.what());
  }
  return parameters;
}

Training read_training(const Parameters& workload) {
  return {read_shards(workload.choice("shards")),
          read_optimizer(workload.choice("optimizer"), workload.number("momentum")),
          read_schedule(workload.choice("schedule"))};
}

Model workload_model(const JsonReader& at) { return workload_catalog().find(at).make(read_workload(at)); }

}  // namespace traincast
