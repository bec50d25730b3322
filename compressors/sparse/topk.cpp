// Top-k with memory: each learner sends its entries of largest magnitude.
#include <cmath>
#include <cstring>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_summed.hpp"

namespace traincast {

std::uint64_t share_of(double density, std::uint64_t numel) {
  if (numel == 0) return 0;
  auto k = static_cast<std::uint64_t>(std::floor(density * static_cast<double>(numel) + 1e-9));
  return std::min(std::max<std::uint64_t>(k, 1), numel);
}

namespace {

/// k indices of 32 bits, ascending, then their k values.
class TopKCodec final : public Codec {
 public:
  explicit TopKCodec(double density) : density_(density) {}

  bool size_follows_from_shape() const override { return true; }

  Message encode(std::span<const float> values) const override {
    auto indices = largest(values, share_of(density_, values.size()));
    std::vector<float> chosen(indices.size());
    for (std::size_t j = 0; j < indices.size(); ++j) chosen[j] = values[indices[j]];
    Message message(8 * indices.size());
    if (message.empty()) return message;
    std::memcpy(message.data(), indices.data(), 4 * indices.size());
    std::memcpy(message.data() + 4 * indices.size(), chosen.data(), 4 * chosen.size());
    return message;
  }

  Decoded decode(std::span<const std::byte> message, std::uint64_t numel) const override {
    std::uint64_t k = share_of(density_, numel);
    if (message.size() != 8 * k)
      throw InputError("top-k message has " + std::to_string(message.size()) + " bytes, not " +
                       std::to_string(8 * k));
    Decoded sent;
    sent.indices.resize(k);
    sent.values.resize(k);
    if (k == 0) return sent;
    std::memcpy(sent.indices.data(), message.data(), 4 * k);
    std::memcpy(sent.values.data(), message.data() + 4 * k, 4 * k);
    for (std::size_t j = 0; j < k; ++j)
      if (sent.indices[j] >= numel || (j > 0 && sent.indices[j] <= sent.indices[j - 1]))
        throw InputError("top-k message: index " + std::to_string(sent.indices[j]) + " at place " +
                         std::to_string(j) + " is not ascending below " + std::to_string(numel));
    return sent;
  }

  Bytes value_bytes(const Message& message) const override { return message.size() / 2; }

  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::topk, {numel, share_of(density_, numel), 0}}};
  }

  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::scatter, {numel, learners * share_of(density_, numel), 0}}};
  }

 private:
  double density_;
};

}  // namespace

std::unique_ptr<const Codec> topk_codec(double density) { return std::make_unique<TopKCodec>(density); }

namespace {

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that each learner sends"},
    {"transport", Unit::word, "all_gather|sparse_all_reduce", "all_gather",
     "every message to everybody, or sums in flight, whose supports unite on the way"},
};

// Stich et al. 2018 (Mem-SGD), Algorithm 1; the memory in gradient units. Summed in flight: Renggli et al.
// 2019 (SparCML).
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  auto codec = topk_codec(parameters.number("density"));
  ErrorRule rule{ErrorRule::Error::local, 1};
  if (parameters.word("transport") == "sparse_all_reduce") return make_sparse_summed(std::move(codec), rule);
  return make_gathered(std::move(codec), Coupling::tensor, rule);
}

}  // namespace

const Entry<MakeCompressor> kTopKMethod{
    "topk",
    "sends each learner's entries of largest magnitude, with local error feedback; gathered or summed",
    "Stich et al. 2018 (Mem-SGD, arXiv 1809.07599), Algorithm 1", kParameters, make};

}  // namespace traincast
