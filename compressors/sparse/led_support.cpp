#include "compressors/sparse/led_support.hpp"

#include <algorithm>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/index_message.hpp"
#include "compressors/sparse/select.hpp"

namespace traincast {

namespace {

float variance_of(std::span<const float> values) {
  if (values.empty()) return 0;
  double sum = 0, squares = 0;
  for (float value : values) sum += static_cast<double>(value);
  double mean = sum / static_cast<double>(values.size());
  for (float value : values)
    squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  return static_cast<float>(squares / static_cast<double>(values.size()));
}

class Led final : public Compressor {
 public:
  explicit Led(LedSupport method) : method_(std::move(method)) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return !method_.index || fixed_size({*method_.index, {}}); }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, method_.beta}; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    const double rate = method_.rate(unit);
    if (rate <= 1) return send_all(source, group, contributions, average);
    const auto chunk = static_cast<std::uint64_t>(std::llround(rate));
    const std::uint64_t k =
        method_.by_chunk ? numel / chunk + (numel % chunk != 0) : share_of(1 / rate, numel);
    const Work packing{Primitive::elementwise, {k, 0, 0}};
    std::vector<float> vector(numel);
    unsigned phase = 0;
    auto leader = static_cast<LearnerId>(step.index % group.size());

    group.phase(phase);
    if (method_.leader == Leader::variance) {
      leader = find_leader(source, group, vector);
      group.phase(++phase);
    } else {
      // All learners add their memories while the leader does; only it goes on to choose.
      group.each(Stage::encode, {}, [&](LearnerId learner) { source.read(learner, vector); });
    }
    std::vector<Work> choosing = {method_.by_chunk ? Work{Primitive::chunk_top1, {numel, chunk, 0}}
                                                   : Work{Primitive::topk, {numel, k, 0}}};
    const bool packs = method_.index != IndexCoding::int32;
    if (packs) choosing.push_back(packing);
    Message message;
    group.at(leader, Stage::encode, choosing, [&] {
      source.read(leader, vector);
      auto chosen = method_.by_chunk ? largest_by_chunk(vector, chunk) : largest(vector, k);
      message = method_.index ? write_indices(chosen, numel, *method_.index) : packed_indices(chosen, chunk);
    });
    group.broadcast(leader, message.size());

    group.phase(++phase);
    std::vector<Index> indices;
    group.once(Stage::encode, packs ? std::vector<Work>{packing} : std::vector<Work>{}, [&] {
      indices = method_.index ? read_indices(message, k, numel, *method_.index)
                              : read_packed_indices(message, chunk, numel);
    });
    std::vector<float> sum(k);
    group.all_reduce(Element::fp32, sum, {{Primitive::gather, {numel, k, 0}}},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, vector);
                       for (std::size_t j = 0; j < k; ++j) addend[j] = vector[indices[j]];
                       contributions.kept(learner, indices, addend, Selection::shared);
                     });

    group.phase(++phase);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}, {Primitive::scatter, {numel, k, 0}}},
               [&] {
                 take_mean(sum, group.size());
                 std::fill(average.begin(), average.end(), 0.0f);
                 for (std::size_t j = 0; j < k; ++j) average[indices[j]] = sum[j];
               });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// In the phase of the others' values.
  void send_all(const GradientSource& source, Group& group, Contributions& contributions,
                std::span<float> average) const {
    group.phase(method_.leader == Leader::variance ? 2 : 1);
    group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      contributions.kept_all(learner);
    });
    take_mean(average, group.size());
  }

  static LearnerId find_leader(const GradientSource& source, Group& group, std::vector<float>& vector) {
    auto messages =
        group.all_gather({{Primitive::reduction, {vector.size(), 0, 0}}}, [&](LearnerId learner, Bytes&) {
          source.read(learner, vector);
          Message message;
          append(message, variance_of(vector));
          return message;
        });
    LearnerId leader = 0;
    float most = -1;
    for (LearnerId learner = 0; learner < messages.size(); ++learner) {
      float variance = read_values<float>(messages[learner], 0, 1)[0];
      if (variance > most) {
        most = variance;
        leader = learner;
      }
    }
    return leader;
  }

  LedSupport method_;
};

}  // namespace

std::unique_ptr<Compressor> make_led_support(LedSupport method) {
  return std::make_unique<Led>(std::move(method));
}

}  // namespace traincast
