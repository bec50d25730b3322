// ZeRO++'s quantised reduce-scatter (qgZ): four bits an element within nodes, decoded and averaged there,
// four bits an element again across nodes. Wang et al. 2023 (arXiv 2306.10209), section 3.3, as DeepSpeed
// codes it.
//
// ZeRO's learners each keep the part of the optimiser that belongs to their chunk, and gather updated
// weights. What is gathered here are the averaged chunks of the gradient, as many elements; ZeRO++'s other
// two parts (weights in int8, weights kept within nodes) concern weights and the passes that need them.
#include <algorithm>
#include <cmath>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "base/bf16.hpp"
#include "base/fp16.hpp"

namespace traincast {

namespace {

constexpr unsigned kBits = 4;
constexpr float kLeast = -8, kMost = 7;

/// Codes of four bits, two to a byte, and the step of every group of equal size (or one less).
struct Quantised {
  Message codes;
  std::vector<float> steps;
};

std::uint64_t start_of(std::uint64_t group, std::uint64_t groups, std::uint64_t size) {
  return group * size / groups;
}

/// Symmetric: a step is an eighth of the largest magnitude, and the largest code 7, so that a positive
/// largest value is cut to seven eighths.
Quantised quantise(std::span<const float> values, std::uint64_t groups) {
  Quantised quantised;
  LowBitWriter packed(quantised.codes);
  for (std::uint64_t group = 0; group < groups; ++group) {
    const std::uint64_t begin = start_of(group, groups, values.size());
    auto part = values.subspan(begin, start_of(group + 1, groups, values.size()) - begin);
    float largest = 0;
    for (float value : part) largest = std::max(largest, std::fabs(value));
    const float step = largest / -kLeast;
    quantised.steps.push_back(step);
    for (float value : part) {
      const float code = step > 0 ? std::clamp(std::nearbyint(value / step), kLeast, kMost) : 0.0f;
      packed.put(static_cast<std::uint32_t>(static_cast<std::int32_t>(code) & 0xf), kBits);
    }
  }
  packed.finish();
  return quantised;
}

void add(const Quantised& quantised, std::span<float> into) {
  LowBitReader packed(quantised.codes);
  const std::uint64_t groups = quantised.steps.size();
  for (std::uint64_t group = 0; group < groups; ++group)
    for (std::uint64_t i = start_of(group, groups, into.size()); i < start_of(group + 1, groups, into.size());
         ++i) {
      const auto code = static_cast<std::int32_t>(packed.get(kBits));
      into[i] += static_cast<float>(code >= 8 ? code - 16 : code) * quantised.steps[group];
    }
}

class ZeroPlusPlus final : public Compressor {
 public:
  ZeroPlusPlus(std::uint32_t node_size, bool pads, Element gathered)
      : node_size_(node_size), pads_(pads), gathered_(gathered) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_depend_on_values() const override { return false; }
  ErrorRule error_rule() const override { return {}; }
  std::uint32_t node_size() const override { return node_size_; }
  bool averages_contributions() const override { return false; }

  /// Vectors, and tensors that do not divide into N even chunks, go dense, as in DeepSpeed.
  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const TensorInfo& tensor = unit.tensors.front();
    const std::uint64_t numel = unit.numel(), even = 2 * std::uint64_t{group.size()};
    if (tensor.shape.size() > 1 && numel > 0 && (pads_ || numel % even == 0))
      reduce_quantised(tensor, (numel + even - 1) / even * even, source, group, contributions, average);
    else
      reduce_dense(source, group, contributions, average);
    gather(group, average);
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  static constexpr unsigned kDense = 4, kGather = 5;

  void reduce_dense(const GradientSource& source, Group& group, Contributions& contributions,
                    std::span<float> average) const {
    std::vector<float> vector(average.size());
    std::fill(average.begin(), average.end(), 0.0f);
    for (LearnerId learner = 0; learner < group.size(); ++learner) {
      source.read(learner, vector);
      for (std::size_t i = 0; i < vector.size(); ++i) average[i] += vector[i];
      contributions.kept_all(learner);
    }
    take_mean(average, group.size());
    group.phase(kDense);
    Op op;
    op.word = Word::reduce_scatter;
    op.count = (average.size() + group.size() - 1) / group.size() * group.size();
    op.value_bytes = group.size() * sizeof(float) * average.size();
    group.record(std::move(op));
  }

  /// Learner (node, place) ends with chunk node · g + place. On the way the learner of that place in each
  /// node averages what its node has of the chunks of its place in all nodes.
  void reduce_quantised(const TensorInfo& tensor, std::uint64_t padded, const GradientSource& source,
                        Group& group, Contributions& contributions, std::span<float> average) const {
    const std::uint32_t learners = group.size(), nodes = learners / node_size_;
    const std::uint64_t numel = average.size(), chunk = padded / learners;
    const std::uint64_t groups = groups_of(tensor, chunk, learners);
    std::vector<float> vector(padded), own;
    // Of each node and chunk, the mean within the node.
    std::vector<std::vector<float>> means(nodes, std::vector<float>(padded, 0.0f));
    auto part = [chunk](auto& values, std::uint64_t c) {
      return std::span(values).subspan(c * chunk, chunk);
    };

    group.phase(0);
    group.each(Stage::encode,
               {{Primitive::reduction, {padded, 0, 0}}, {Primitive::bit_pack, {padded, kBits, 0}}},
               [&](LearnerId learner) {
                 source.read(learner, std::span(vector).first(numel));
                 own.assign(padded, 0.0f);
                 for (std::uint64_t c = 0; c < learners; ++c)
                   add(quantise(part(vector, c), groups), part(own, c));
                 std::vector<float>& mean = means[learner / node_size_];
                 for (std::uint64_t i = 0; i < padded; ++i) mean[i] += own[i];
                 contributions.kept(learner, std::span<const float>(own).first(numel));
               });
    const Subgroups within{Among::within, node_size_}, across{Among::across, node_size_};
    exchange(group, within, nodes * chunk / 2, true);
    group.phase(1);
    exchange(group, within, nodes * groups * sizeof(float), false);

    group.phase(2);
    const std::uint64_t held = padded / node_size_;
    std::fill(vector.begin(), vector.end(), 0.0f);
    group.each(
        Stage::encode,
        {{Primitive::bit_pack, {held, kBits, 0}, node_size_ + 1}, {Primitive::reduction, {held, 0, 0}}},
        [&](LearnerId learner) {
          const std::uint32_t node = learner / node_size_;
          for (std::uint64_t c = learner % node_size_; c < learners; c += node_size_) {
            auto mean = part(means[node], c);
            take_mean(mean, node_size_);
            add(quantise(mean, groups), part(vector, c));
          }
        });
    exchange(group, across, chunk / 2, true);
    group.phase(3);
    exchange(group, across, groups * sizeof(float), false);

    group.phase(kGather);
    group.each(Stage::encode, {{Primitive::bit_pack, {chunk, kBits, 0}, nodes}}, [](LearnerId) {});
    take_mean(vector, nodes);
    std::copy_n(vector.begin(), numel, average.begin());
  }

  /// DeepSpeed's number of groups in all, max(extents, N), in equal parts for the chunks.
  static std::uint64_t groups_of(const TensorInfo& tensor, std::uint64_t chunk, std::uint64_t learners) {
    const auto extents = static_cast<std::uint64_t>(std::max(tensor.shape[0], tensor.shape[1]));
    return std::clamp<std::uint64_t>(extents / learners, 1, chunk);
  }

  /// Messages of one size between any two of a sub-group.
  static void exchange(Group& group, const Subgroups& members, Bytes bytes, bool values) {
    Op op;
    op.word = Word::all_to_all;
    op.bytes = {bytes};
    op.members = members;
    if (values) op.value_bytes = op.contributed(group.size());
    group.record(std::move(op));
  }

  void gather(Group& group, std::span<float> average) const {
    if (gathered_ != Element::fp32)
      for (float& value : average)
        value = gathered_ == Element::bf16 ? round_to_bf16(value) : round_to_fp16(value);
    const std::uint64_t chunk = (average.size() + group.size() - 1) / group.size();
    group.phase(kGather);
    Op op;
    op.word = Word::all_gather;
    op.bytes.assign(group.size(), chunk * size_of(gathered_));
    op.value_bytes = average.size() * size_of(gathered_);
    group.record(std::move(op));
  }

  std::uint32_t node_size_;
  bool pads_;
  Element gathered_;
};

constexpr Parameter kParameters[] = {
    {"node_size", Unit::count, "[1, 65536]", kRequired,
     "learners of a node; learners are numbered node by node, and fill them"},
    {"uneven", Unit::word, "dense|padded", "dense",
     "a matrix whose elements do not divide by 2 · learners goes dense (as DeepSpeed does), or is padded"},
    {"gather", Unit::word, "bf16|fp16|fp32", "bf16", "in which the averaged chunks reach everybody"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  const std::string& gather = parameters.word("gather");
  return std::make_unique<ZeroPlusPlus>(static_cast<std::uint32_t>(parameters.count("node_size")),
                                        parameters.word("uneven") == "padded",
                                        gather == "bf16"   ? Element::bf16
                                        : gather == "fp16" ? Element::fp16
                                                           : Element::fp32);
}

}  // namespace

const Entry<MakeCompressor> kZeroPlusPlusMethod{
    "zeropp",
    "reduce-scatter of four bits an element within nodes, and again across them; averaged chunks are "
    "gathered",
    "Wang et al. 2023 (ZeRO++, arXiv 2306.10209), section 3.3 (qgZ); DeepSpeed's all_to_all_quant_reduce",
    kParameters, make};

}  // namespace traincast
