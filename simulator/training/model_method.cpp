#include "simulator/training/model_method.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/units.hpp"
#include "simulator/pass/tensor_bytes.hpp"

namespace traincast {

namespace {

double square_sum(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

/// Where a unit's tensors lie in a vector of the whole model, in the unit's order.
struct Piece {
  std::uint64_t first, count;
};

class Pieces : public GradientSource {
 public:
  Pieces(std::span<const std::span<const float>> vectors, const std::vector<Piece>& pieces)
      : vectors_(vectors), pieces_(pieces) {}
  void read(LearnerId learner, std::span<float> into) const override {
    for (const Piece& piece : pieces_) {
      std::ranges::copy(vectors_[learner].subspan(piece.first, piece.count), into.begin());
      into = into.subspan(piece.count);
    }
  }

 private:
  std::span<const std::span<const float>> vectors_;
  const std::vector<Piece>& pieces_;
};

void refuse_what_does_not_fit(const Scenario& scenario, std::uint64_t parameters) {
  double kept = memories_of(scenario) == Memories::mean ? 1 : scenario.learners;
  double each = scenario.learner_memory.momentum_before ? 12 : 8;
  double needed = static_cast<double>(parameters) * (each * kept + 40), available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("error memories and messages of " + std::to_string(scenario.learners) +
                     " learners need up to " + format_bytes(needed) + " of memory, and " +
                     format_bytes(available) + " are available; use fewer learners or a smaller model");
}

}  // namespace

class ModelMethod::Unit {
 public:
  Unit(const Scenario& scenario, Bucket seen, std::size_t bucket, const std::vector<Piece>& of_tensors)
      : seen_(std::move(seen)),
        bucket_(bucket),
        numel_(seen_.numel()),
        learners_(scenario.learners),
        memories_(memories_of(scenario)) {
    for (const TensorInfo& tensor : seen_.tensors) pieces_.push_back(of_tensors[tensor.id]);
    auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    ErrorRule rule = error_rule_of(scenario, *compressor, seen_);
    feedback_ = std::make_unique<ErrorFeedback>(std::move(compressor), rule, learners_, numel_, memories_,
                                                scenario.seed);
    average_.resize(numel_);
    gradient_.resize(numel_);
  }

  void run(const Step& step, std::span<const std::span<const float>> vectors, std::span<float> average) {
    sums_ = {};
    Pieces source(vectors, pieces_);
    begin_statistics(step, source);
    Group group(learners_);
    ContributionRecord record = feedback_->aggregate(step, seen_, source, group, average_);
    phases_ = group.phases();
    end_statistics(step, record);
    std::span<const float> left = average_;
    for (const Piece& piece : pieces_) {
      std::ranges::copy(left.first(piece.count), average.begin() + static_cast<std::ptrdiff_t>(piece.first));
      left = left.subspan(piece.count);
    }
  }

  std::size_t bucket() const { return bucket_; }
  std::vector<Phase> take_phases() { return std::move(phases_); }
  void add_to(StepRecord& total, const std::vector<Phase>& phases) const {
    note_tensor_bytes(total, seen_, phases, learners_);
    total.mean_gradient_square += sums_.mean_gradient_square;
    total.error_square += sums_.error_square;
    total.mean_input_square += sums_.mean_input_square;
    total.residual_square += sums_.residual_square;
    total.gradient_square += sums_.gradient_square;
    total.memory_square += sums_.memory_square;
    total.mean_support += sums_.mean_support;
    total.independent_union += sums_.independent_union;
    if (total.union_by_hop.size() < sums_.union_by_hop.size())
      total.union_by_hop.resize(sums_.union_by_hop.size());
    for (std::size_t h = 0; h < sums_.union_by_hop.size(); ++h)
      total.union_by_hop[h] += sums_.union_by_hop[h];
  }
  ErrorFeedback& feedback() { return *feedback_; }

 private:
  void begin_statistics(const Step& step, const Pieces& source) {
    const double worth = feedback_->memory_in_gradients(step);
    mean_gradient_.assign(numel_, 0.0);
    mean_input_.assign(numel_, 0.0);
    for (LearnerId i = 0; i < learners_; ++i) {
      source.read(i, gradient_);
      for (std::size_t e = 0; e < numel_; ++e) mean_gradient_[e] += static_cast<double>(gradient_[e]);
      if (memories_ == Memories::mean) continue;
      sums_.gradient_square += square_sum(gradient_);
      std::span<const float> memory = feedback_->memory(i);
      for (std::size_t e = 0; e < memory.size(); ++e) mean_input_[e] += static_cast<double>(memory[e]);
    }
    std::span<const float> mean_memory;
    if (memories_ == Memories::mean) mean_memory = feedback_->memory(0);
    for (std::size_t e = 0; e < mean_memory.size(); ++e)
      mean_input_[e] = learners_ * static_cast<double>(mean_memory[e]);
    for (std::size_t e = 0; e < numel_; ++e) {
      mean_input_[e] = (worth * mean_input_[e] + mean_gradient_[e]) / learners_;
      mean_gradient_[e] /= learners_;
    }
    if (memories_ == Memories::mean)
      for (double value : mean_gradient_) sums_.gradient_square += learners_ * value * value;
  }

  void end_statistics(const Step& step, const ContributionRecord& record) {
    for (std::size_t e = 0; e < numel_; ++e) {
      double applied = static_cast<double>(average_[e]);
      double error = applied - mean_gradient_[e], residual = mean_input_[e] - applied;
      sums_.mean_gradient_square += mean_gradient_[e] * mean_gradient_[e];
      sums_.error_square += error * error;
      sums_.mean_input_square += mean_input_[e] * mean_input_[e];
      sums_.residual_square += residual * residual;
    }
    const double worth = feedback_->memory_in_gradients(step);
    const std::uint32_t kept = memories_ == Memories::mean ? 1 : learners_;
    for (LearnerId i = 0; i < kept; ++i)
      sums_.memory_square += worth * worth * square_sum(feedback_->memory(i)) * (learners_ / kept);
    if (record.union_by_hop.empty()) return;
    sums_.union_by_hop.assign(record.union_by_hop.begin(), record.union_by_hop.end());
    sums_.mean_support = static_cast<double>(record.support) / learners_;
    double density = sums_.mean_support / static_cast<double>(numel_);
    sums_.independent_union = static_cast<double>(numel_) * (1 - std::pow(1 - density, learners_));
  }

  Bucket seen_;
  std::size_t bucket_;
  std::uint64_t numel_;
  std::uint32_t learners_;
  Memories memories_;
  std::vector<Piece> pieces_;
  std::unique_ptr<ErrorFeedback> feedback_;
  std::vector<float> average_, gradient_;
  std::vector<double> mean_gradient_, mean_input_;
  std::vector<Phase> phases_;
  StepRecord sums_;  // without buckets
};

ModelMethod::ModelMethod(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads)
    : learners_(scenario.learners),
      threads_(threads),
      compressor_(scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)),
      buckets_(make_buckets(std::vector<TensorInfo>(layers.begin(), layers.end()), scenario.buckets)) {
  std::vector<Piece> of_tensors;
  std::uint64_t parameters = 0;
  for (const TensorInfo& layer : layers) {
    of_tensors.push_back({parameters, layer.numel()});
    parameters += layer.numel();
  }
  refuse_what_does_not_fit(scenario, parameters);
  for (std::size_t b = 0; b < buckets_.size(); ++b)
    for (Bucket& seen : compressor_->units(buckets_[b]))
      units_.push_back(std::make_unique<Unit>(scenario, std::move(seen), b, of_tensors));
}

ModelMethod::~ModelMethod() = default;

StepRecord ModelMethod::aggregate(const Step& given, std::span<const std::span<const float>> vectors,
                                  std::span<float> average) {
  std::vector<LearnerId> learners(learners_);
  std::iota(learners.begin(), learners.end(), 0u);
  Step step = given;
  step.learners = learners;
  std::vector<double> norms;
  if (compressor_->needs_gradient_norms()) {
    for (std::span<const float> vector : vectors) norms.push_back(std::sqrt(square_sum(vector)));
    step.gradient_norms = norms;
  }
  in_parallel(units_.size(), threads_, [&](std::size_t u) { units_[u]->run(step, vectors, average); });

  StepRecord record;
  std::uint32_t regime = compressor_->regime(step);
  auto known = std::ranges::find(regimes_, regime);
  record.regime = static_cast<std::uint32_t>(known - regimes_.begin());
  if (known == regimes_.end()) regimes_.push_back(regime);
  std::vector<std::vector<std::vector<Phase>>> by_bucket(buckets_.size());
  for (auto& unit : units_) {
    std::vector<Phase> phases = unit->take_phases();
    unit->add_to(record, phases);
    by_bucket[unit->bucket()].push_back(std::move(phases));
  }
  for (const auto& phases : by_bucket) record.buckets.push_back(fuse(phases));
  return record;
}

void ModelMethod::save(Writer& writer) const {
  writer.put_all(std::span<const std::uint32_t>(regimes_));
  for (const auto& unit : units_) unit->feedback().save(writer);
}

void ModelMethod::load(Reader& reader) {
  regimes_ = reader.get_all<std::uint32_t>();
  for (const auto& unit : units_) unit->feedback().load(reader);
}

void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& f) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  auto work = [&] {
    try {
      for (std::size_t i; (i = next++) < count;) f(i);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t t = 1; t < std::min<std::size_t>(threads, count); ++t) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace traincast
