// OmniReduce: only blocks that hold something travel, to aggregators that send back their union.
#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "block";

/// Blocks of a vector as bytes: of each, its number (four bytes), then its values; the last block of a vector
/// may be shorter.
Message write_blocks(std::span<const Index> blocks, std::span<const float> values, std::uint64_t size) {
  Message message;
  message.reserve(blocks.size() * (sizeof(Index) + size * sizeof(float)));
  for (Index block : blocks) {
    append(message, block);
    std::uint64_t begin = block * size;
    append(message, values.subspan(begin, std::min<std::uint64_t>(size, values.size() - begin)));
  }
  return message;
}

/// f(number, its values) for each block of a message.
void read_blocks(std::span<const std::byte> message, std::uint64_t numel, std::uint64_t size,
                 const std::function<void(Index, std::span<const float>)>& f) {
  std::int64_t before = -1;
  std::vector<float> values(std::min(size, numel));
  while (!message.empty()) {
    if (message.size() < 4) refuse_message(kKind, "ends within a block's number");
    Index block = read_values<Index>(message, 0, 1)[0];
    if (block <= before || block * size >= numel)
      refuse_message(kKind, "has block " + std::to_string(block) + ", not ascending below the vector's end");
    before = block;
    std::uint64_t count = std::min(size, numel - block * size);
    if (message.size() < 4 + 4 * count) refuse_message(kKind, "ends within a block");
    std::memcpy(values.data(), message.data() + 4, 4 * count);
    f(block, {values.data(), count});
    message = message.subspan(4 + 4 * count);
  }
}

// Blocks with something in them, or the share of blocks with the largest norms.
class Blocks final : public Codec {
 public:
  Blocks(std::uint64_t block, double density) : block_(block), density_(density) {}

  std::uint64_t size() const { return block_; }
  std::uint64_t count(std::uint64_t numel) const { return (numel + block_ - 1) / block_; }
  Message write(std::span<const Index> blocks, std::span<const float> values) const {
    return write_blocks(blocks, values, block_);
  }
  /// f(number, its values) for each block of a message.
  template <class F>
  void read(std::span<const std::byte> message, std::uint64_t numel, F&& f) const {
    read_blocks(message, numel, block_, f);
  }

  Message encode(std::span<const float> values, const Call&) override {
    return write(chosen(values), values);
  }
  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    Decoded sent;
    sent.indices.reserve(message.size() / sizeof(float));
    sent.values.reserve(message.size() / sizeof(float));
    read(message, call.numel, [&](Index block, std::span<const float> values) {
      const auto before = static_cast<std::ptrdiff_t>(sent.indices.size());
      sent.indices.resize(sent.indices.size() + values.size());
      std::iota(sent.indices.begin() + before, sent.indices.end(), static_cast<Index>(block * block_));
      sent.values.insert(sent.values.end(), values.begin(), values.end());
    });
    return sent;
  }
  /// Every block but the last is whole.
  Bytes value_bytes(const Message& message, const Call&) const override {
    const Bytes whole = sizeof(Index) + sizeof(float) * block_;
    return message.size() - sizeof(Index) * ((message.size() + whole - 1) / whole);
  }
  /// Norms of blocks, a choice among them, and copies of what is chosen.
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    const std::uint64_t blocks = count(numel), kept = share_of(density_, blocks);
    return {{Primitive::reduction, {numel, 0, 0}},
            {density_ < 1 ? Primitive::topk : Primitive::threshold_scan, {blocks, kept, 0}},
            {Primitive::elementwise, {std::min(numel, kept * block_), 0, 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t) const override {
    return {{Primitive::elementwise, {numel, 0, 0}}};
  }

 private:
  std::vector<Index> chosen(std::span<const float> values) const {
    std::vector<std::pair<double, Index>> blocks;
    blocks.reserve(count(values.size()));
    for (std::uint64_t begin = 0; begin < values.size(); begin += block_) {
      auto block = values.subspan(begin, std::min<std::uint64_t>(block_, values.size() - begin));
      blocks.emplace_back(kernels().sum_of_squares(block.data(), block.size()),
                          static_cast<Index>(begin / block_));
    }
    if (density_ < 1) {
      auto larger = [](auto& a, auto& b) {
        return a.first > b.first || (a.first == b.first && a.second < b.second);
      };
      std::sort(blocks.begin(), blocks.end(), larger);
      blocks.resize(share_of(density_, blocks.size()));
    }
    std::vector<Index> numbers;
    for (auto [square, block] : blocks)
      if (square > 0) numbers.push_back(block);
    if (density_ < 1) std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  std::uint64_t block_;
  double density_;
};

class OmniReduce final : public Compressor {
 public:
  OmniReduce(std::uint64_t block, double density, std::uint64_t seed)
      : blocks_(block, density), lossy_(density < 1), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  Codec* codec() override { return &blocks_; }
  ErrorRule error_rule() const override {
    return {lossy_ ? ErrorRule::Error::local : ErrorRule::Error::none, 1};
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    const UnitDraws draws(seed_, step.index, unit.id);
    std::vector<float> vector(numel);
    std::vector<Message> pushed(group.size());
    std::vector<Bytes> bytes(group.size());
    Bytes value_bytes = 0;

    group.phase(0);
    group.each(Stage::encode, blocks_.encode_work(numel), [&](LearnerId learner) {
      const Call call{unit, numel, step.index, learner, draws.shared(), draws.shared()};
      source.read(learner, vector);
      pushed[learner] = blocks_.encode(vector, call);
      bytes[learner] = pushed[learner].size();
      value_bytes += blocks_.value_bytes(pushed[learner], call);
      report(contributions, learner, blocks_.decode(pushed[learner], call));
    });

    // The aggregators' sums of the blocks that anybody sent.
    std::fill(average.begin(), average.end(), 0.0f);
    std::vector<bool> any(blocks_.count(numel), false);
    auto add = [&](Index block, std::span<const float> values) {
      any[block] = true;
      float* sum = average.data() + block * blocks_.size();
      for (std::size_t i = 0; i < values.size(); ++i) sum[i] += values[i];
    };
    for (const Message& message : pushed) blocks_.read(message, numel, add);
    std::vector<Index> united;
    for (Index block = 0; block < any.size(); ++block)
      if (any[block]) united.push_back(block);
    group.push_pull(std::move(bytes), blocks_.write(united, average).size(), value_bytes);

    group.phase(1);
    group.once(Stage::decode, blocks_.decode_work(numel, 1), [&] { take_mean(average, group.size()); });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  Blocks blocks_;
  bool lossy_;
  std::uint64_t seed_;
};

constexpr Parameter kParameters[] = {
    {"block", Unit::count, "[1, 1000000]", "256", "entries of a block"},
    {"density", Unit::ratio, "(0, 1]", "1",
     "below 1: only this share of a tensor's blocks, those of largest norm, with error feedback; 1 loses "
     "nothing"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return std::make_unique<OmniReduce>(static_cast<std::uint64_t>(parameters.count("block")),
                                      parameters.number("density"), seed);
}

}  // namespace

const Entry<MakeCompressor> kOmniReduceMethod{
    "omnireduce", "sends the blocks that are not zero to aggregators, which send back their union",
    "Fei et al. 2021 (OmniReduce, SIGCOMM), sections 3 and 4; block selection by norm: their block top-k",
    kParameters, make};

}  // namespace traincast
