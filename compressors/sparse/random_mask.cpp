// Random masks of federated learning: each learner draws its own entries and sends the seed instead of the
// indices.
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/random_places.hpp"

namespace traincast {

namespace {

// Eight bytes of seed, then the values at the places that follow from it.
class RandomMask final : public Codec {
 public:
  RandomMask(double density, bool unbiased) : density_(density), unbiased_(unbiased) {}
  bool size_follows_from_shape() const override { return true; }
  bool unbiased() const override { return unbiased_; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    std::uint64_t seed = (std::uint64_t{call.own.at(0)} << 32) | call.own.at(1);
    append(message, seed);
    auto k = share_of(density_, values.size());
    const float gain = unbiased_ && k > 0 ? static_cast<float>(values.size()) / static_cast<float>(k) : 1;
    for (Index place : places_of(seed, values.size())) append(message, gain * values[place]);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t k = share_of(density_, call.numel);
    expect_message_size("random mask", message, sizeof(std::uint64_t) + 4 * k);
    auto seed = read_values<std::uint64_t>(message, 0, 1)[0];
    return {false, places_of(seed, call.numel), read_values<float>(message, sizeof seed, k)};
  }

  Bytes value_bytes(const Message& message, const Call&) const override {
    return message.size() - sizeof(std::uint64_t);
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::gather, {numel, share_of(density_, numel), 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::scatter, {numel, share_of(density_, numel), 0}, learners}};
  }

 private:
  std::vector<Index> places_of(std::uint64_t seed, std::uint64_t numel) const {
    KeyedDraws draws({.seed = seed, .purpose = Purpose::compressor, .step = 0, .learner = 0, .tensor = 0});
    return random_places(numel, share_of(density_, numel), draws);
  }

  double density_;
  bool unbiased_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that each learner sends"},
    {"unbiased", Unit::flag, "", "true",
     "values times 1 / density and no error memory, or as they are with one"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  bool unbiased = parameters.flag("unbiased");
  return make_gathered(std::make_unique<RandomMask>(parameters.number("density"), unbiased), Coupling::tensor,
                       {unbiased ? ErrorRule::Error::none : ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kRandomMaskMethod{
    "random_mask", "sends entries drawn at random by each learner, and the seed instead of indices; gathered",
    "Konečný et al. 2016 (Federated learning: strategies, arXiv 1610.05492), random mask and subsampling",
    kParameters, make};

}  // namespace traincast
