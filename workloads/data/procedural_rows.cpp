// Made data that are no images: frames as of speech, and who takes what.
#include <cmath>

#include "base/error.hpp"
#include "base/portable_math.hpp"
#include "base/random.hpp"
#include "workloads/data/dataset.hpp"

namespace traincast {

namespace {

std::uint32_t tensor_of(Split split) { return split == Split::train ? 0 : 1; }

/// A chain of states, each of 2 to 6 frames, followed by one of three that follow it alone; a frame is its
/// state's own features, those of a speaker who is the same throughout, and noise.
class MadeFrames final : public Dataset {
 public:
  MadeFrames(const Parameters&, const Model& model, std::uint64_t seed)
      : seed_(seed), classes_(model.losses.front().classes) {
    if (model.input.shape.size() != 2 || !model.input.ranges.empty())
      throw InputError("procedural frames: the model does not take frames of features");
    length_ = model.input.shape[0], features_ = model.input.shape[1];
    require_form(model, "procedural frames", model.input.shape, length_, classes_);
  }
  std::uint64_t size(Split) const override { return kEndless; }
  void append(Split split, std::uint64_t index, Batch& into) const override {
    RandomStream random({.seed = seed_, .purpose = Purpose::data, .step = index, .tensor = tensor_of(split)});
    std::vector<float> speaker;
    for (std::int64_t f = 0; f < features_; ++f) speaker.push_back(static_cast<float>(0.5 * random.normal()));
    std::uint64_t state = random.below(static_cast<std::uint64_t>(classes_)), left = 1 + random.below(6);
    std::vector<float> own = features_of(state);
    for (std::int64_t frame = 0; frame < length_; ++frame) {
      if (left-- == 0) {
        RandomStream following({.seed = seed_, .purpose = Purpose::data, .step = state, .tensor = 3});
        std::uint64_t way = random.below(3);
        for (std::uint64_t i = 0; i <= way; ++i)
          state = following.below(static_cast<std::uint64_t>(classes_));
        own = features_of(state);
        left = 1 + random.below(5);
      }
      for (std::size_t f = 0; f < own.size(); ++f)
        into.features.push_back(own[f] + speaker[f] + static_cast<float>(random.normal()));
      into.labels.push_back(static_cast<std::int64_t>(state));
    }
    ++into.samples;
  }
  Json describe() const override {
    Json json;
    json["name"] = "procedural frames";
    json["made"] = true;
    json["states"] = classes_;
    return json;
  }

 private:
  std::vector<float> features_of(std::uint64_t state) const {
    RandomStream random({.seed = seed_, .purpose = Purpose::data, .step = state, .tensor = 2});
    std::vector<float> own;
    for (std::int64_t f = 0; f < features_; ++f) own.push_back(static_cast<float>(random.normal()));
    return own;
  }
  std::uint64_t seed_;
  std::int64_t classes_, length_ = 0, features_ = 0;
};

/// Users and items have eight hidden factors; a user takes an item with the probability of a logistic
/// function of their product.
class MadeRatings final : public Dataset {
 public:
  MadeRatings(const Parameters&, const Model& model, std::uint64_t seed) : seed_(seed) {
    if (model.input.ranges.size() != 2 || model.losses.size() != 1 || model.losses[0].classes != 1)
      throw InputError("procedural ratings: the model does not take a user and an item");
    users_ = static_cast<std::uint64_t>(model.input.ranges[0]);
    items_ = static_cast<std::uint64_t>(model.input.ranges[1]);
  }
  std::uint64_t size(Split) const override { return kEndless; }
  void append(Split split, std::uint64_t index, Batch& into) const override {
    RandomStream random({.seed = seed_, .purpose = Purpose::data, .step = index, .tensor = tensor_of(split)});
    std::uint64_t user = random.below(users_), item = random.below(items_);
    RandomStream of_user({.seed = seed_, .purpose = Purpose::data, .step = user, .tensor = 2});
    RandomStream of_item({.seed = seed_, .purpose = Purpose::data, .step = item, .tensor = 3});
    double product = 0;
    for (int factor = 0; factor < 8; ++factor) product += of_user.normal() * of_item.normal();
    into.numbers.push_back(static_cast<std::int64_t>(user));
    into.numbers.push_back(static_cast<std::int64_t>(item));
    into.labels.push_back(random.uniform() < 1 / (1 + portable_exp(-product)) ? 1 : 0);
    ++into.samples;
  }
  Json describe() const override {
    Json json;
    json["name"] = "procedural ratings";
    json["made"] = true;
    json["users"] = users_;
    json["items"] = items_;
    return json;
  }

 private:
  std::uint64_t seed_, users_ = 0, items_ = 0;
};

template <class Made>
std::unique_ptr<Dataset> make(const Parameters& p, const Model& model, std::uint64_t seed) {
  return std::make_unique<Made>(p, model, seed);
}

}  // namespace

const Entry<MakeDataset> kFramesData{"frames",
                                     "made frames of features, as of speech: states that follow each other",
                                     "of our own",
                                     {},
                                     make<MadeFrames>};
const Entry<MakeDataset> kRatingsData{
    "ratings", "made choices of users among items, by hidden factors", "of our own", {}, make<MadeRatings>};

}  // namespace traincast
