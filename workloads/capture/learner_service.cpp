#include "workloads/capture/learner_service.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>

#include "base/error.hpp"
#include "base/linked_program.hpp"
#include "base/machine.hpp"
#include "base/parallel.hpp"
#include "workloads/capture/capture.hpp"
#include "workloads/capture/capture_manifest.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/neural_network.hpp"
#include "workloads/learner_protocol.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

// On CUDA, kernels of all replicas take turns; so many keep the device busy while others fill mini-batches
// and fetch gradients.
constexpr unsigned kReplicasOnCuda = 8;

unsigned replicas_of(const CaptureRequest& request) {
  const unsigned threads = std::max(1u, request.threads);
  return uses_cuda(request.device) ? std::min(threads, kReplicasOnCuda) : threads;
}

SideBySide side_by_side(const CaptureRequest& request, std::uint32_t batches) {
  const unsigned learners = std::min(replicas_of(request), request.learners);
  return {.learners = learners, .gradients = learners, .batches = batches};
}

// Held-out samples that are scored at once. Batch normalisation takes its statistics from them.
constexpr std::uint64_t kScored = 250;

class LearnerService {
 public:
  explicit LearnerService(const CaptureRequest& request)
      : request_(request),
        data_(make_dataset(request.parameters.choice("data"), request.model, request.seed)),
        program_(peak_memory()),
        stated_memory_(refuse_what_does_not_fit(request, *data_, side_by_side(request, 1), program_)),
        training_(read_training(request.parameters)),
        shards_(*data_, training_.shards, request.learners,
                static_cast<std::uint64_t>(request.parameters.count("samples_per_learner")),
                static_cast<std::uint64_t>(request.parameters.count("batch")), request.seed),
        network_({.model = request.model, .seed = request.seed, .device = request.device}),
        parameters_(request.model.parameters()) {
    refuse_what_the_device_cannot_hold(request, side_by_side(request, 1));
    for (unsigned i = 0; i < replicas_of(request); ++i) workers_.push_back({network_.replica(), {}, {}});
  }

  std::string answer(std::string_view question, std::span<std::byte> memory) {
    memory_ = memory;
    for (Worker& worker : workers_) worker.looked_at.reset();
    Reader reader(question);
    Writer writer;
    switch (reader.get<LearnerQuestion>()) {
      case LearnerQuestion::initial: write_parameters(row(reader.get<std::uint32_t>())); break;
      case LearnerQuestion::gradients: {
        auto passes = reader.get_all<LearnerPass>();
        for (const LearnerPass& pass : passes) refuse_larger(pass.batches);
        std::vector<double> losses(passes.size());
        with_workers(passes.size(),
                     [&](Worker& worker, std::size_t i) { losses[i] = run(worker, passes[i]); });
        writer.put_all(std::span<const double>(losses));
        break;
      }
      case LearnerQuestion::evaluate: {
        std::span<const float> at = row(reader.get<std::uint32_t>());
        writer.put(evaluate(at, reader.get<std::uint64_t>()));
        break;
      }
      case LearnerQuestion::factors: {
        const auto& layers = layers_of(reader.get<FactorForm>());
        auto passes = reader.get_all<LearnerFactorPass>();
        for (const LearnerFactorPass& asked : passes) refuse_larger(asked.pass.batches);
        std::vector<double> losses(passes.size());
        with_workers(passes.size(), [&](Worker& worker, std::size_t i) {
          losses[i] = run_with_factors(worker, layers, passes[i]);
        });
        writer.put_all(std::span<const double>(losses));
        break;
      }
      case LearnerQuestion::multiply: multiply(reader); break;
      case LearnerQuestion::describe: return manifest_of(request_, *data_, network_).to_json().dump(-1);
      case LearnerQuestion::apply: {
        auto step = reader.get<std::uint64_t>();
        std::span<const float> mean = row(reader.get<std::uint32_t>());
        apply(step, mean);
        write_parameters(row(reader.get<std::uint32_t>()));
        break;
      }
      case LearnerQuestion::memory:
        writer.put(ProcessMemory{stated_memory_ > 0 ? stated_memory_ + static_cast<double>(memory.size()) : 0,
                                 peak_memory()});
        break;
      default: throw std::logic_error("a question that learners do not know");
    }
    return writer.bytes();
  }

 private:
  struct Worker {
    std::unique_ptr<Replica> replica;
    Batch batch;
    std::optional<std::uint32_t> looked_at{};  ///< row, which stays as it is while a question lasts
  };

  std::span<float> row(std::uint32_t number) const {
    std::uint64_t bytes = row_floats(parameters_) * sizeof(float), first = number * bytes;
    if (memory_.size() < bytes || first > memory_.size() - bytes)
      throw std::logic_error("row " + std::to_string(number) + " lies behind the shared memory");
    return {reinterpret_cast<float*>(memory_.data() + first), parameters_};
  }

  // Mini-batches may grow in the course of training.
  void refuse_larger(std::uint32_t batches) {
    if (batches <= largest_batches_) return;
    largest_batches_ = batches;
    stated_memory_ = refuse_what_does_not_fit(request_, *data_, side_by_side(request_, batches), program_);
  }

  void apply(std::uint64_t step, std::span<const float> mean) {
    std::vector<std::vector<float>> tensors;
    for (const TensorInfo& layer : request_.model.layers) {
      std::span<const float> part = mean.first(layer.numel());
      tensors.emplace_back(part.begin(), part.end());
      mean = mean.subspan(part.size());
    }
    network_.apply(tensors, request_.parameters.number("learning_rate") * training_.schedule(step),
                   training_.optimizer);
  }

  void write_parameters(std::span<float> into) const {
    for (std::uint32_t id = 0; id < request_.model.layers.size(); ++id) {
      std::vector<float> values = network_.parameter(id);
      std::copy(values.begin(), values.end(), into.begin());
      into = into.subspan(values.size());
    }
  }

  double run(Worker& worker, const LearnerPass& pass) const {
    prepare(worker, pass);
    const double loss = worker.replica->run(worker.batch);
    write_gradient(worker, pass);
    return loss;
  }

  double run_with_factors(Worker& worker, const std::vector<LayerFactors>& layers,
                          const LearnerFactorPass& asked) const {
    prepare(worker, asked.pass);
    const double loss = worker.replica->run(
        worker.batch, layers, place_of_factors(asked.factors, factor_numbers(layers, worker.batch.samples)));
    write_gradient(worker, asked.pass);
    return loss;
  }

  void multiply(Reader& reader) {
    const auto& layers = layers_of(reader.get<FactorForm>());
    const auto samples = reader.get<std::uint64_t>();
    const std::span<const float> at = row(reader.get<std::uint32_t>());
    const std::span<float> into = row(reader.get<std::uint32_t>());
    std::vector<std::span<const std::byte>> sent;
    for (std::uint64_t first : reader.get_all<std::uint64_t>())
      sent.push_back(place_of_factors(first, factor_numbers(layers, samples)));
    use_one_thread_each();
    workers_.front().replica->look_at(at);
    workers_.front().replica->multiply(layers, samples, sent, std::as_writable_bytes(into));
  }

  const std::vector<LayerFactors>& layers_of(FactorForm form) {
    std::vector<LayerFactors>& layers = layers_[form];
    if (layers.empty()) layers = layer_factors(request_.model, form);
    return layers;
  }

  std::span<std::byte> place_of_factors(std::uint64_t first, std::uint64_t numbers) const {
    const std::uint64_t there = memory_.size() / sizeof(float);
    if (first > there || numbers > there - first)
      throw std::logic_error("factors lie behind the shared memory");
    return memory_.subspan(first * sizeof(float), numbers * sizeof(float));
  }

  void prepare(Worker& worker, const LearnerPass& pass) const {
    if (pass.batches == 0) throw std::logic_error("a pass over no mini-batch");
    shards_.fill(pass.learner, pass.batch, worker.batch, pass.batches);
    if (worker.looked_at != pass.at) worker.replica->look_at(row(pass.at));
    worker.looked_at = pass.at;
  }

  void write_gradient(Worker& worker, const LearnerPass& pass) const {
    std::span<float> into = row(pass.into);
    for (std::uint32_t id = 0; id < request_.model.layers.size(); ++id) {
      std::span<const float> gradient = worker.replica->gradient(id);
      std::memcpy(into.data(), gradient.data(), gradient.size_bytes());
      into = into.subspan(gradient.size());
    }
  }

  Evaluation evaluate(std::span<const float> at, std::uint64_t samples) {
    if (held_out_samples_ != samples) hold_out(samples);
    std::vector<Score> scores(held_out_.size());
    with_workers(held_out_.size(), [&](Worker& worker, std::size_t i) {
      worker.replica->look_at(at);
      scores[i] = worker.replica->evaluate(held_out_[i]);
    });
    double loss = 0, correct = 0, labels = 0;
    for (const Score& score : scores) {
      loss += score.loss * static_cast<double>(score.of);
      correct += static_cast<double>(score.right);
      labels += static_cast<double>(score.of);
    }
    return {loss / labels, correct / labels};
  }

  void hold_out(std::uint64_t samples) {
    if (std::uint64_t there = data_->size(Split::test); samples > there)
      throw InputError("evaluation_samples: the data have " + std::to_string(there) +
                       " samples for evaluation, got " + std::to_string(samples));
    held_out_.clear();
    for (std::uint64_t i = 0; i < samples; ++i) {
      if (i % kScored == 0) held_out_.emplace_back();
      data_->append(Split::test, i, held_out_.back());
    }
    held_out_samples_ = samples;
  }

  void with_workers(std::size_t count, const std::function<void(Worker&, std::size_t)>& f) {
    in_parallel(count, static_cast<unsigned>(workers_.size()), [&](std::size_t i, unsigned worker) {
      use_one_thread_each();
      f(workers_[worker], i);
    });
  }

  const CaptureRequest& request_;
  std::unique_ptr<Dataset> data_;
  double program_, stated_memory_;     ///< bytes, with the data alone and at most
  std::uint32_t largest_batches_ = 1;  ///< that were held against the memory
  Training training_;
  Shards shards_;
  Network network_;
  std::uint64_t parameters_;
  std::map<FactorForm, std::vector<LayerFactors>> layers_;
  std::vector<Worker> workers_;
  std::vector<Batch> held_out_;
  std::uint64_t held_out_samples_ = 0;
  std::span<std::byte> memory_;
};

}  // namespace

void serve_learners(const CaptureRequest& request) {
  keep_blas_to_one_thread();
  LearnerService service(request);
  serve_link([&](std::string_view question, std::span<std::byte> memory) {
    return service.answer(question, memory);
  });
}

}  // namespace traincast
