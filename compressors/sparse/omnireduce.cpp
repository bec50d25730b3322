// OmniReduce: only blocks that hold something travel, to aggregators that send back their union.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "block";

/// Blocks of a vector as bytes: of each, its number (four bytes), then its values; the last block of a vector
/// may be shorter.
Message write_blocks(std::span<const Index> blocks, std::span<const float> values, std::uint64_t size) {
  Message message;
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
  while (!message.empty()) {
    if (message.size() < 4) refuse_message(kKind, "ends within a block's number");
    Index block = read_values<Index>(message, 0, 1)[0];
    if (block <= before || block * size >= numel)
      refuse_message(kKind, "has block " + std::to_string(block) + ", not ascending below the vector's end");
    before = block;
    std::uint64_t count = std::min(size, numel - block * size);
    if (message.size() < 4 + 4 * count) refuse_message(kKind, "ends within a block");
    f(block, read_values<float>(message, 4, count));
    message = message.subspan(4 + 4 * count);
  }
}

class OmniReduce final : public Compressor {
 public:
  OmniReduce(std::uint64_t block, double density) : block_(block), density_(density) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override {
    return {density_ < 1 ? ErrorRule::Error::local : ErrorRule::Error::none, 1};
  }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    std::vector<float> vector(numel);
    std::vector<Message> pushed(group.size());
    std::vector<Bytes> bytes(group.size());
    Bytes value_bytes = 0;

    group.phase(0);
    // Norms of blocks, a choice among them, and copies of what is chosen.
    const std::uint64_t blocks = (numel + block_ - 1) / block_, kept = share_of(density_, blocks);
    const Work choosing{density_ < 1 ? Primitive::topk : Primitive::threshold_scan, {blocks, kept, 0}};
    const Work copying{Primitive::elementwise, {std::min(numel, kept * block_), 0, 0}};
    group.each(Stage::encode, {{Primitive::reduction, {numel, 0, 0}}, choosing, copying},
               [&](LearnerId learner) {
                 source.read(learner, vector);
                 pushed[learner] = write_blocks(chosen(vector), vector, block_);
                 bytes[learner] = pushed[learner].size();
                 Decoded sent;
                 read_blocks(pushed[learner], numel, block_, [&](Index block, std::span<const float> values) {
                   value_bytes += values.size_bytes();
                   for (std::size_t i = 0; i < values.size(); ++i)
                     sent.indices.push_back(static_cast<Index>(block * block_ + i));
                   sent.values.insert(sent.values.end(), values.begin(), values.end());
                 });
                 contributions.kept(learner, sent.indices, sent.values, Selection::own);
               });

    // The aggregators' sums of the blocks that anybody sent.
    std::fill(average.begin(), average.end(), 0.0f);
    std::vector<bool> any((numel + block_ - 1) / block_, false);
    for (const Message& message : pushed)
      read_blocks(message, numel, block_, [&](Index block, std::span<const float> values) {
        any[block] = true;
        for (std::size_t i = 0; i < values.size(); ++i) average[block * block_ + i] += values[i];
      });
    std::vector<Index> united;
    for (Index block = 0; block < any.size(); ++block)
      if (any[block]) united.push_back(block);
    Message pulled = write_blocks(united, average, block_);
    group.push_pull(std::move(bytes), pulled.size(), value_bytes);

    group.phase(1);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}},
               [&] { take_mean(average, group.size()); });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// Blocks with something in them, or the share of blocks with the largest norms.
  std::vector<Index> chosen(std::span<const float> values) const {
    std::vector<std::pair<double, Index>> blocks;
    for (std::uint64_t begin = 0; begin < values.size(); begin += block_) {
      double square = 0;
      for (float value : values.subspan(begin, std::min<std::uint64_t>(block_, values.size() - begin)))
        square += static_cast<double>(value) * static_cast<double>(value);
      blocks.emplace_back(square, static_cast<Index>(begin / block_));
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
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  std::uint64_t block_;
  double density_;
};

constexpr Parameter kParameters[] = {
    {"block", Unit::count, "[1, 1000000]", "256", "entries of a block"},
    {"density", Unit::ratio, "(0, 1]", "1",
     "below 1: only this share of a tensor's blocks, those of largest norm, with error feedback; 1 loses "
     "nothing"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return std::make_unique<OmniReduce>(static_cast<std::uint64_t>(parameters.count("block")),
                                      parameters.number("density"));
}

}  // namespace

const Entry<MakeCompressor> kOmniReduceMethod{
    "omnireduce", "sends the blocks that are not zero to aggregators, which send back their union",
    "Fei et al. 2021 (OmniReduce, SIGCOMM), sections 3 and 4; block selection by norm: their block top-k",
    kParameters, make};

}  // namespace traincast
