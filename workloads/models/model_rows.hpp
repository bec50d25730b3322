// The models by name: each row is defined in the file of its family, with its parameters.
#pragma once

#include <array>
#include <cstddef>

#include "base/catalog.hpp"
#include "base/parameter_defaults.hpp"
#include "workloads/models/model.hpp"

namespace traincast {

/// Throws InputError, without a place, where parameters do not go together.
using MakeModel = Model (*)(const Parameters&);

extern const Entry<MakeModel> kMlpModel;
extern const Entry<MakeModel> kConvnetModel;
extern const Entry<MakeModel> kResNet20Model;
extern const Entry<MakeModel> kResNet18CifarModel;
extern const Entry<MakeModel> kResNet18Model;
extern const Entry<MakeModel> kResNet50Model;
extern const Entry<MakeModel> kResNet101Model;
extern const Entry<MakeModel> kVgg16Model;
extern const Entry<MakeModel> kVgg19Model;
extern const Entry<MakeModel> kMobileNetV2Model;
extern const Entry<MakeModel> kUNetModel;
extern const Entry<MakeModel> kLstmWordsModel;
extern const Entry<MakeModel> kLstmCharactersModel;
extern const Entry<MakeModel> kLstmSpeechModel;
extern const Entry<MakeModel> kGruClassifierModel;
extern const Entry<MakeModel> kGptModel;
extern const Entry<MakeModel> kBertModel;
extern const Entry<MakeModel> kTransformerModel;
extern const Entry<MakeModel> kNcfModel;

/// What every workload has besides its model's own parameters.
inline constexpr std::array<Parameter, 8> kTraining{{
    {"batch", Unit::count, "[1, 65536]", "8", "samples in a learner's mini-batch"},
    {"samples_per_learner", Unit::count, "[1, 100000000]", "512", "samples in a learner's shard of the data"},
    {"data", Unit::choice, "", "images", "what it is trained on"},
    {"shards", Unit::choice, "", "iid", "how samples are dealt out to learners"},
    {"optimizer", Unit::choice, "", "sgd", "how parameters follow gradients"},
    {"learning_rate", Unit::ratio, "(0, 100]", "0.05", "of the optimizer, before its schedule"},
    {"momentum", Unit::ratio, "[0, 1)", "0.9", "share of the last update kept in the next; Adam's β₁"},
    {"schedule", Unit::choice, "", "constant", "of the learning rate"},
}};

template <std::size_t N, std::size_t M>
constexpr std::array<Parameter, N + kTraining.size()> trained(const std::array<Parameter, N>& own,
                                                              const Default (&defaults)[M]) {
  std::array<Parameter, N + kTraining.size()> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = own[i];
  for (std::size_t i = 0; i < kTraining.size(); ++i) all[N + i] = kTraining[i];
  return with_defaults(all, defaults);
}

/// Of models over square images.
inline constexpr Parameter kSide{"side", Unit::count, "[8, 1024]", "32", "rows and columns of an image"};
inline constexpr Parameter kChannels{"channels", Unit::count, "[1, 64]", "3", "of an image"};
inline constexpr Parameter kClasses{"classes", Unit::count, "[2, 100000]", "10", "of the data"};
inline constexpr Parameter kDropout{"dropout", Unit::ratio, "[0, 1)", "0",
                                    "share of activations dropped while training"};

}  // namespace traincast
