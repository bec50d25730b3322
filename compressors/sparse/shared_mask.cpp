// One mask for several tensors: the entries of largest magnitude of the first tensor of a shape are what is
// sent of all tensors of that shape.
#include <algorithm>
#include <map>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {

namespace {

// For each shape of the unit, in the order of first appearance: k indices, then k values of each tensor.
class SharedMask final : public Codec {
 public:
  explicit SharedMask(double density) : density_(density) {}
  bool size_follows_from_shape() const override { return true; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    for (const Alike& alike : alike_in(call.unit)) {
      auto mask = largest(values.subspan(alike.begins.front(), alike.numel), share_of(density_, alike.numel));
      append(message, write_indices(mask, alike.numel, IndexCoding::int32));
      for (std::uint64_t begin : alike.begins)
        for (Index index : mask) append(message, values[begin + index]);
    }
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    auto all = alike_in(call.unit);
    std::uint64_t size = 0;
    for (const Alike& alike : all) size += 4 * share_of(density_, alike.numel) * (1 + alike.begins.size());
    expect_message_size("shared mask", message, size);
    std::vector<std::pair<Index, float>> entries;
    std::uint64_t at = 0;
    for (const Alike& alike : all) {
      const std::uint64_t k = share_of(density_, alike.numel);
      auto mask = read_indices(message.subspan(at, 4 * k), k, alike.numel, IndexCoding::int32);
      at += 4 * k;
      for (std::uint64_t begin : alike.begins) {
        auto values = read_values<float>(message, at, k);
        for (std::size_t j = 0; j < k; ++j)
          entries.emplace_back(static_cast<Index>(begin + mask[j]), values[j]);
        at += 4 * k;
      }
    }
    std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
    Decoded sent;
    for (auto [index, value] : entries) {
      sent.indices.push_back(index);
      sent.values.push_back(value);
    }
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    Bytes indices = 0;
    for (const Alike& alike : alike_in(call.unit)) indices += 4 * share_of(density_, alike.numel);
    return message.size() - indices;
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::topk, {numel, share_of(density_, numel), 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::scatter, {numel, share_of(density_, numel), 0}, learners}};
  }

 private:
  struct Alike {
    std::vector<std::int64_t> shape;
    std::uint64_t numel;
    std::vector<std::uint64_t> begins;  ///< of the tensors of this shape, in the unit's vector
  };
  static std::vector<Alike> alike_in(const Bucket& unit) {
    std::vector<Alike> all;
    std::uint64_t begin = 0;
    for (const TensorInfo& tensor : unit.tensors) {
      auto known =
          std::find_if(all.begin(), all.end(), [&](auto& alike) { return alike.shape == tensor.shape; });
      if (known == all.end()) known = all.insert(all.end(), {tensor.shape, tensor.numel(), {}});
      known->begins.push_back(begin);
      begin += tensor.numel();
    }
    return all;
  }

  double density_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of each tensor's entries that is sent"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return make_gathered(std::make_unique<SharedMask>(parameters.number("density")), Coupling::bucket,
                       {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kSharedMaskMethod{
    "shared_mask",
    "sends the same entries of all tensors of one shape in a bucket, chosen by the first; gathered",
    "FedAdam-SSM (arXiv 2405.17932): one top-k mask for updates and both moments", kParameters, make};

}  // namespace traincast
