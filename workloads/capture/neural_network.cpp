#include "workloads/capture/neural_network.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "base/error.hpp"
#include "base/random.hpp"
#include "workloads/capture/factor_tape.hpp"
#include "workloads/capture/forward.hpp"
#include "workloads/capture/host.hpp"

namespace traincast {

namespace {

at::ScalarType scalar_type(Precision precision) {
  return precision == Precision::fp32 ? at::kFloat : at::kDouble;
}

at::Tensor initial_value(const Model& model, std::uint64_t seed, std::uint32_t id) {
  auto [mean, deviation] = model.initial[id];
  std::vector<float> values(model.layers[id].numel(), static_cast<float>(mean));
  if (deviation > 0) {
    RandomStream random({.seed = seed, .purpose = Purpose::parameters, .tensor = id});
    for (float& value : values) value = static_cast<float>(mean + deviation * random.normal());
  }
  return at::from_blob(values.data(), model.layers[id].shape, at::kFloat).clone();
}

}  // namespace

bool uses_cuda(Device device) {
#ifdef TRAINCAST_WITH_CUDA
  bool there = torch::cuda::is_available();
  if (device == Device::cuda && !there)
    throw InputError("--device cuda: no CUDA device is available; known here: cpu");
  return device != Device::cpu && there;
#else
  if (device == Device::cuda)
    throw InputError("--device cuda: built without TRAINCAST_CUDA; known here: cpu");
  return false;
#endif
}

double free_cuda_memory() {
#ifdef TRAINCAST_WITH_CUDA
  return cuda_bytes_free();
#else
  throw std::logic_error("built without TRAINCAST_CUDA");
#endif
}

namespace {

std::unique_ptr<PassClock> make_pass_clock([[maybe_unused]] bool cuda, std::size_t tensors) {
#ifdef TRAINCAST_WITH_CUDA
  if (cuda) return make_cuda_pass_clock(tensors);
#endif
  return make_cpu_pass_clock(tensors);
}

// Apart from the order of samples, whose stream has the tensor 0.
constexpr std::uint32_t kDropout = 1;

class TorchReplica : public Replica {
 public:
  TorchReplica(const NetworkOptions& options, std::span<const at::Tensor> shared, bool cuda)
      : options_(options), forward_(options.model), clock_(make_pass_clock(cuda, shared.size())) {
    for (std::size_t id = 0; id < shared.size(); ++id) {
      parameters_.push_back(shared[id].detach().requires_grad_());
      // The hook of the accumulating node fires when .grad is complete; the parameter's own hooks fire
      // before.
      auto accumulator = torch::autograd::impl::grad_accumulator(parameters_.back());
      accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [clock = clock_.get(), id](const torch::autograd::variable_list& out,
                                     const torch::autograd::variable_list&) {
            clock->ready(id);
            return out;
          }));
      accumulators_.push_back(std::move(accumulator));
    }
    on_host_.resize(shared.size());
    is_on_host_.resize(shared.size());
  }

  double run(const Batch& batch) override { return pass(batch, nullptr); }

  double run(const Batch& batch, std::span<const LayerFactors> layers,
             std::span<std::byte> factors) override {
    FactorTape tape(options_.model, layers);
    double loss = pass(batch, &tape);
    tape.write(factors);
    return loss;
  }

  void multiply(std::span<const LayerFactors> layers, std::uint64_t samples,
                std::span<const std::span<const std::byte>> sent, std::span<std::byte> gradient) override {
    multiply_factors({options_.model, forward_, parameters_, layers}, samples, sent, gradient);
  }

  Score evaluate(const Batch& batch) override {
    torch::autograd::AutoGradMode no_graph(false);
    at::Tensor labels = labels_of(batch);
    auto logits = forward_.logits(parameters_, input_of(batch), nullptr);
    const Loss& first = options_.model.losses.front();
    at::Tensor own = labels.narrow(1, 0, first.rows).reshape(-1), counts = own != kNoLabel;
    at::Tensor chosen =
        first.classes == 1 ? (logits.front().reshape(-1) > 0).to(at::kLong) : logits.front().argmax(1);
    return {.loss = forward_.loss(logits, labels).item<double>(),
            .right = static_cast<std::uint64_t>((chosen == own).sum().item<std::int64_t>()),
            .of = static_cast<std::uint64_t>(counts.sum().item<std::int64_t>())};
  }

  PassTimes times() override { return clock_->times(); }

  void look_at(std::span<const float> parameters) override {
    std::size_t at = 0;
    for (at::Tensor& parameter : parameters_) {
      // LibTorch takes no pointer to const; only an optimizer would write there.
      at::Tensor there =
          at::from_blob(const_cast<float*>(parameters.data() + at), parameter.sizes(), at::kFloat);
      parameter.set_data(there.to(parameter.device()));  // on the CPU, no copy
      at += static_cast<std::size_t>(parameter.numel());
    }
  }

  std::span<const float> gradient(std::uint32_t tensor) override {
    if (!is_on_host_[tensor]) fetch(tensor);
    return {on_host_[tensor].data_ptr<float>(), static_cast<std::size_t>(on_host_[tensor].numel())};
  }

  std::vector<double> gradient_in_double(std::uint32_t tensor) override {
    at::Tensor values = parameters_[tensor].grad().to(at::kCPU, at::kDouble).contiguous();
    return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
  }

 private:
  // Of a CUDA device into pages that stay locked: several times as fast as into any.
  void fetch(std::uint32_t tensor) {
    const at::Tensor& gradient = parameters_[tensor].grad();
    at::Tensor& copy = on_host_[tensor];
    if (gradient.is_cpu()) {
      copy = gradient.contiguous();
    } else {
      if (!copy.defined()) copy = at::empty(gradient.sizes(), at::dtype(at::kFloat).pinned_memory(true));
      copy.copy_(gradient);
    }
    is_on_host_[tensor] = true;
  }

  double pass(const Batch& batch, OperationTaker* taker) {
    at::Tensor input = input_of(batch), labels = labels_of(batch);
    dropout_.set_current_seed(RandomStream({.seed = options_.seed,
                                            .purpose = Purpose::shuffle,
                                            .step = batch.step,
                                            .learner = batch.learner,
                                            .tensor = kDropout})
                                  .next());
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
    is_on_host_.assign(is_on_host_.size(), false);
    if (parameters_.front().is_cpu())  // there they are the gradients themselves
      for (at::Tensor& copy : on_host_) copy.reset();
    clock_->begin_forward();
    at::Tensor loss = forward_.loss(forward_.logits(parameters_, input, &dropout_, taker), labels);
    clock_->begin_backward();
    loss.backward();
    return loss.item<double>();
  }

  // LibTorch takes no pointer to const; none of these tensors is written to.
  at::Tensor numbers(const std::vector<std::int64_t>& values, const Shape& shape) const {
    return at::from_blob(const_cast<std::int64_t*>(values.data()), shape, at::kLong)
        .to(parameters_.front().device());
  }
  at::Tensor input_of(const Batch& batch) const {
    const ModelInput& form = options_.model.input;
    Shape shape = form.shape;
    shape.insert(shape.begin(), static_cast<std::int64_t>(batch.samples));
    if (!form.ranges.empty()) return numbers(batch.numbers, shape);
    return at::from_blob(const_cast<float*>(batch.features.data()), shape, at::kFloat)
        .to(parameters_.front().device(), scalar_type(options_.precision));
  }
  at::Tensor labels_of(const Batch& batch) const {
    return numbers(batch.labels, {static_cast<std::int64_t>(batch.samples), options_.model.labels()});
  }

  const NetworkOptions& options_;
  Forward forward_;
  at::Generator dropout_ = at::detail::createCPUGenerator();
  std::unique_ptr<PassClock> clock_;
  std::vector<at::Tensor> parameters_, on_host_;
  std::vector<bool> is_on_host_;                                      // of the last pass
  std::vector<std::shared_ptr<torch::autograd::Node>> accumulators_;  // parameters hold them weakly
};

}  // namespace

struct Network::State {
  NetworkOptions options;
  bool cuda = false;
  std::vector<at::Tensor> parameters, momenta, squares;  ///< squares: Adam's, from its first step on
  std::uint64_t updates = 0;
};

Network::Network(NetworkOptions options) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.options = std::move(options);
  s.cuda = uses_cuda(s.options.device);
  // Without it, deterministic algorithms refuse every product; read when cuBLAS is first used.
  if (s.cuda) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  for (std::uint32_t id = 0; id < s.options.model.layers.size(); ++id) {
    at::Tensor value = initial_value(s.options.model, s.options.seed, id)
                           .to(s.cuda ? at::kCUDA : at::kCPU, scalar_type(s.options.precision));
    s.momenta.push_back(at::zeros_like(value));
    s.parameters.push_back(std::move(value));
  }
}

Network::~Network() = default;

bool Network::on_cuda() const { return state_->cuda; }

std::string Network::device_name() const {
#ifdef TRAINCAST_WITH_CUDA
  if (state_->cuda) return cuda_device_name();
#endif
  return cpu_name();
}

std::string Network::cuda_version() const {
#ifdef TRAINCAST_WITH_CUDA
  if (state_->cuda) return cuda_runtime_version();
#endif
  return "";
}

std::unique_ptr<Replica> Network::replica() const {
  return std::make_unique<TorchReplica>(state_->options, state_->parameters, state_->cuda);
}

double Network::apply(std::span<const std::vector<float>> mean_gradient, double learning_rate,
                      const Optimizer& optimizer) {
  State& s = *state_;
  torch::autograd::AutoGradMode no_graph(false);
  std::vector<at::Tensor> gradients;
  for (std::size_t id = 0; id < s.parameters.size(); ++id)
    gradients.push_back(at::from_blob(const_cast<float*>(mean_gradient[id].data()),
                                      s.options.model.layers[id].shape, at::kFloat)
                            .to(s.parameters[id].device(), s.parameters[id].scalar_type()));
  auto wait = [&] {
    if (s.cuda) torch::cuda::synchronize();
  };
  wait();
  auto begin = std::chrono::steady_clock::now();
  auto t = static_cast<double>(++s.updates);
  for (std::size_t id = 0; id < s.parameters.size(); ++id) {
    at::Tensor &p = s.parameters[id], &m = s.momenta[id], &g = gradients[id];
    if (optimizer.weight_decay > 0) g = g.add(p, optimizer.weight_decay);
    if (optimizer.kind == Optimizer::Kind::sgd) {
      m.mul_(optimizer.momentum).add_(g);
      p.sub_(optimizer.nesterov ? g.add(m, optimizer.momentum) : m, learning_rate);
      continue;
    }
    if (s.squares.size() == id) s.squares.push_back(at::zeros_like(p));
    m.mul_(optimizer.momentum).add_(g, 1 - optimizer.momentum);
    s.squares[id].mul_(optimizer.beta2).addcmul_(g, g, 1 - optimizer.beta2);
    at::Tensor root = (s.squares[id] / (1 - std::pow(optimizer.beta2, t))).sqrt_().add_(optimizer.epsilon);
    p.addcdiv_(m, root, -learning_rate / (1 - std::pow(optimizer.momentum, t)));
  }
  wait();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<float> Network::parameter(std::uint32_t tensor) const {
  at::Tensor values = state_->parameters[tensor].to(at::kCPU, at::kFloat).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

std::string libtorch_version() { return TORCH_VERSION; }

void use_one_thread_each() { at::set_num_threads(1); }

}  // namespace traincast
