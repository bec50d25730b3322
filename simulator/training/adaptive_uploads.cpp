// SASG and LASG: learners upload to a server only when what they have to say is new.
//
// SASG: Deng et al., Communication-efficient distributed learning via sparse and adaptive stochastic gradient
// (arXiv 2112.04088); LASG: Chen, Sun, Yin 2020 (arXiv 2002.11360); LAG: Chen et al. 2018 (arXiv 1805.09965).
// The rules below are recalled from these papers, not read in them.
//
// In step t learner m, who uploaded last at the parameters ω^(t−τ), compares two gradients on the same
// mini-batch, at ω^t and at ω^(t−τ) (LASG's rule WK2; LAG: its gradient now and the one that it uploaded
// from), and uploads nothing where
//     ‖∇f(ω^t; ξ) − ∇f(ω^(t−τ); ξ)‖² ≤ 1/M² · Σ_{d=1…D} α_d ‖ω^(t+1−d) − ω^(t−d)‖²   and   τ < D,
// with α_d = alpha_d / γ. Who uploads sends T(γ∇f + e), keeps e ← γ∇f + e − T(γ∇f + e), T being the
// scenario's compressor; who does not leaves its memory as it is. The server applies the mean of all
// learners' last uploads, the old ones again: ω^(t+1) = ω^t − 1/M · Σ_m T_m. In the first step all upload.
//
// What it costs: LASG's second gradient is a second forward and backward pass; the decision needs the whole
// gradient, so nothing overlaps; all learners take the dense parameters back. A learner that does not upload
// encodes and sends nothing, and the server does not wait for it: the parameters go out when the uploads are
// there, and wait at the learners that still compute. Where nobody uploads, they go out when all have
// computed. The server's own work takes no time here.
#include <algorithm>
#include <cmath>
#include <deque>

#include "base/error.hpp"
#include "base/parallel.hpp"
#include "compressors/codec.hpp"
#include "simulator/pass/buckets.hpp"
#include "simulator/pass/unit_pass.hpp"
#include "simulator/training/training_algorithms.hpp"
#include "simulator/training/unit_places.hpp"

namespace traincast {

namespace {

double square_of_difference(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t e = 0; e < a.size(); ++e) {
    double difference = static_cast<double>(a[e]) - static_cast<double>(b[e]);
    sum += difference * difference;
  }
  return sum;
}

/// One unit's codec, and where its elements lie in the model.
struct Unit {
  CompressorUnit of;
  std::unique_ptr<Compressor> compressor;
  UnitPlaces places;
};

class AdaptiveUploads : public TrainingAlgorithm {
 public:
  AdaptiveUploads(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads)
      : learners_(scenario.learners),
        threads_(threads),
        seed_(scenario.seed),
        window_(static_cast<std::uint64_t>(scenario.training->parameters.count("window"))),
        alpha_(scenario.training->parameters.ratios("alpha")),
        two_gradients_(scenario.training->parameters.word("rule") == "lasg"),
        buckets_(make_buckets(layers, scenario.buckets)),
        memories_(learners_, std::vector<float>(parameters_of(layers))),
        uploads_(learners_, std::vector<float>(parameters_of(layers))),
        staleness_(learners_, 0) {
    if (alpha_.size() == 1) alpha_.resize(window_, alpha_.front());
    auto make = [&] {
      return scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    };
    for (CompressorUnit& unit : make_units(*make(), buckets_)) {
      UnitPlaces places(layers, unit.seen);
      units_.push_back({std::move(unit), make(), std::move(places)});
    }
  }

  // The parameters; of each learner its gradient, the one that it compares with, and where that was taken.
  std::size_t vectors(std::uint32_t learners) const override { return 1 + 3 * std::size_t{learners}; }

  void begin(World& world) override {
    parameters_ = world.vector(0);
    for (LearnerId i = 0; i < learners_; ++i) {
      gradients_.push_back(world.vector(1 + i));
      compared_.push_back(world.vector(1 + learners_ + i));
      taken_at_.push_back(world.vector(1 + 2 * learners_ + i));
    }
    world.initial(parameters_);
  }

  TrainedStep step(World& world, const Step& step) override {
    const bool first = staleness_[0] == 0;
    const bool second_pass = two_gradients_ && !first;
    std::vector<Pass> passes;
    for (LearnerId i = 0; i < learners_; ++i) passes.push_back({i, step.index, parameters_, gradients_[i]});
    if (second_pass)
      for (LearnerId i = 0; i < learners_; ++i) passes.push_back({i, step.index, taken_at_[i], compared_[i]});
    std::vector<double> losses = world.gradients(passes);
    require_finite(losses, passes, world.layers());

    double moved = 0;
    for (std::size_t d = 0; d < moves_.size(); ++d) moved += alpha_[d] * moves_[d];
    const double bound = moved / step.learning_rate / (static_cast<double>(learners_) * learners_);
    std::vector<std::uint8_t> uploads(learners_);
    in_parallel(learners_, threads_, [&](std::size_t i, unsigned) {
      uploads[i] =
          first || staleness_[i] >= window_ || !(square_of_difference(gradients_[i], compared_[i]) <= bound);
    });

    TrainedStep result{mean_of(std::span(losses).first(learners_)), {}, 0};
    begin_statistics(step, result.record);
    result.record.passes = second_pass ? 2 : 1;
    result.record.after_backward = true;
    upload(step, uploads, result);
    for (LearnerId i = 0; i < learners_; ++i) {
      if (uploads[i]) {
        std::ranges::copy(parameters_, taken_at_[i].begin());
        if (!two_gradients_) std::ranges::copy(gradients_[i], compared_[i].begin());
      }
      staleness_[i] = uploads[i] ? 1 : staleness_[i] + 1;
    }
    apply(step, result.record);
    return result;
  }

  std::span<const float> parameters() const override { return parameters_; }
  Similarity similarity() const override {
    const std::vector<std::span<const float>> memories(memories_.begin(), memories_.end());
    return {mean_cosine_distance({&memories, 1}), NAN};
  }
  const std::vector<Bucket>& buckets() const override { return buckets_; }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(parameters_));
    for (LearnerId i = 0; i < learners_; ++i)
      for (std::span<const float> values :
           {std::span<const float>(compared_[i]), std::span<const float>(taken_at_[i]),
            std::span<const float>(memories_[i]), std::span<const float>(uploads_[i])})
        writer.put_all(values);
    writer.put_all(std::span<const std::uint64_t>(staleness_));
    std::vector<double> moves(moves_.begin(), moves_.end());
    writer.put_all(std::span<const double>(moves));
    for (const Unit& unit : units_) unit.compressor->save(writer);
  }

  void load(Reader& reader) override {
    load_into(parameters_, reader);
    for (LearnerId i = 0; i < learners_; ++i) {
      load_into(compared_[i], reader);
      load_into(taken_at_[i], reader);
      load_into(memories_[i], reader);
      load_into(uploads_[i], reader);
    }
    staleness_ = reader.get_all<std::uint64_t>();
    std::vector<double> moves = reader.get_all<double>();
    moves_.assign(moves.begin(), moves.end());
    for (const Unit& unit : units_) unit.compressor->load(reader);
  }

 private:
  // Memories become what is not sent, uploads_ what is.
  void upload(const Step& step, const std::vector<std::uint8_t>& uploads, TrainedStep& result) {
    StepRecord& record = result.record;
    record.buckets.resize(buckets_.size());
    std::vector<Op> ops(buckets_.size());
    for (std::size_t b = 0; b < buckets_.size(); ++b) {
      const std::uint64_t n = buckets_[b].numel();
      ops[b].word = Word::push_pull;
      ops[b].bytes.assign(learners_, 0);
      ops[b].pulled = sizeof(float) * n;
      // Both gradients are read, and the squares of their difference added up; then uploaders encode.
      record.buckets[b].phases.resize(3);
      record.buckets[b].phases[0].work.push_back({Primitive::elementwise, {n}});
      record.buckets[b].phases[0].work.push_back({Primitive::reduction, {n}});
    }
    for (std::uint8_t one : uploads) result.uploads += one;
    std::vector<UnitUpload> sent(units_.size());
    in_parallel(units_.size(), threads_,
                [&](std::size_t u, unsigned) { sent[u] = upload_unit(step, units_[u], uploads); });
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const Unit& unit = units_[u];
      Op& op = ops[unit.of.bucket];
      Bytes all = 0;
      for (LearnerId i = 0; i < learners_; ++i) {
        op.bytes[i] += sent[u].bytes[i];
        all += sent[u].bytes[i];
      }
      op.value_bytes += sent[u].value_bytes;
      for (const TensorInfo& tensor : unit.of.seen.tensors) {
        if (record.tensor_bytes.size() <= tensor.id) record.tensor_bytes.resize(tensor.id + 1, kUnknownBytes);
        if (unit.of.seen.tensors.size() == 1) record.tensor_bytes[tensor.id] = all;
      }
      if (result.uploads == 0) continue;
      std::vector<Work>& work = record.buckets[unit.of.bucket].phases[1].work;
      work.push_back({Primitive::elementwise, {unit.of.seen.numel()}, 2});  // γ·g + e, and what is left of it
      if (Codec* codec = unit.compressor->codec())
        for (Work& one : codec->encode_work_of(unit.of.seen)) work.push_back(one);
    }
    for (std::size_t b = 0; b < buckets_.size(); ++b) {
      record.buckets[b].phases[1].op = std::move(ops[b]);
      record.buckets[b].phases[2].work.push_back(
          {Primitive::elementwise, {buckets_[b].numel()}, 1, Stage::decode});
    }
  }

  struct UnitUpload {
    std::vector<Bytes> bytes;
    Bytes value_bytes = 0;
  };
  UnitUpload upload_unit(const Step& step, const Unit& unit, const std::vector<std::uint8_t>& uploads) {
    const std::uint64_t n = unit.of.seen.numel();
    const auto rate = static_cast<float>(step.learning_rate);
    Codec* codec = unit.compressor->codec();
    const UnitDraws draws(seed_, step.index, unit.of.seen.id);
    UnitUpload result{std::vector<Bytes>(learners_, 0), 0};
    for (LearnerId i = 0; i < learners_; ++i) {
      if (!uploads[i]) continue;
      std::vector<float> vector(n), memory(n);
      unit.places.gather(gradients_[i], vector);
      unit.places.gather(memories_[i], memory);
      for (std::size_t e = 0; e < n; ++e) vector[e] = rate * vector[e] + memory[e];
      std::vector<float> sent = vector;
      result.bytes[i] = n * sizeof(float);
      Bytes values = result.bytes[i];
      if (codec) {
        const KeyedDraws own = draws.own(i);
        const Call call{unit.of.seen, n, step.index, i, own, draws.shared()};
        Message message = codec->encode(vector, call);
        result.bytes[i] = message.size();
        values = codec->value_bytes(message, call);
        std::ranges::fill(sent, 0.0f);
        codec->decode(message, call).add_to(sent);
      }
      result.value_bytes += values;
      for (std::size_t e = 0; e < n; ++e) vector[e] -= sent[e];
      unit.places.scatter(vector, memories_[i]);
      unit.places.scatter(sent, uploads_[i]);
    }
    return result;
  }

  void apply(const Step& step, StepRecord& record) {
    double moved = 0;
    for (std::size_t e = 0; e < parameters_.size(); ++e) {
      double sum = 0;
      for (LearnerId i = 0; i < learners_; ++i) sum += static_cast<double>(uploads_[i][e]);
      const double update = sum / learners_, applied = update / step.learning_rate;
      const float before = parameters_[e];
      parameters_[e] = static_cast<float>(static_cast<double>(before) - update);
      const double move = static_cast<double>(parameters_[e]) - static_cast<double>(before);
      moved += move * move;
      record.error_square += std::pow(applied - mean_gradient_[e], 2);
      record.residual_square += std::pow(mean_input_[e] - applied, 2);
    }
    moves_.push_front(moved);
    if (moves_.size() > window_) moves_.pop_back();
    for (const std::vector<float>& memory : memories_)
      for (float value : memory)
        record.memory_square += std::pow(static_cast<double>(value) / step.learning_rate, 2);
  }

  void begin_statistics(const Step& step, StepRecord& record) {
    mean_gradient_.assign(parameters_.size(), 0);
    mean_input_.assign(parameters_.size(), 0);
    for (LearnerId i = 0; i < learners_; ++i)
      for (std::size_t e = 0; e < parameters_.size(); ++e) {
        const auto g = static_cast<double>(gradients_[i][e]);
        mean_gradient_[e] += g / learners_;
        mean_input_[e] += (g + static_cast<double>(memories_[i][e]) / step.learning_rate) / learners_;
        record.gradient_square += g * g;
      }
    for (double value : mean_gradient_) record.mean_gradient_square += value * value;
    for (double value : mean_input_) record.mean_input_square += value * value;
  }

  std::uint32_t learners_;
  unsigned threads_;
  std::uint64_t seed_;
  std::uint64_t window_;
  std::vector<double> alpha_;  // of each past move, the latest first
  bool two_gradients_;
  std::vector<Bucket> buckets_;
  std::vector<Unit> units_;
  std::span<float> parameters_;
  std::vector<std::span<float>> gradients_, compared_, taken_at_;
  std::vector<std::vector<float>> memories_, uploads_;  // of updates; the last that the server has
  std::vector<std::uint64_t> staleness_;                // 0 before the first step
  std::deque<double> moves_;  // ‖ω^(t+1−d) − ω^(t−d)‖², the latest first
  std::vector<double> mean_gradient_, mean_input_;
};

}  // namespace

std::unique_ptr<TrainingAlgorithm> make_adaptive_uploads(const Scenario& scenario,
                                                         std::span<const TensorInfo> layers,
                                                         unsigned threads) {
  return std::make_unique<AdaptiveUploads>(scenario, layers, threads);
}

}  // namespace traincast
