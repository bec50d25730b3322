// The primitives as LibTorch's operations, timed.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/cuda.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <vector>

#include "workloads/capture/calibration.hpp"
#include "workloads/capture/host.hpp"
#include "workloads/capture/neural_network.hpp"
#include "workloads/capture/pass_clock.hpp"

namespace traincast {

namespace {

std::int64_t whole(std::uint64_t n) { return static_cast<std::int64_t>(n); }

// Places that rise, drawn evenly.
at::Tensor places(std::uint64_t n, std::uint64_t k, const at::TensorOptions& on) {
  return std::get<0>(at::randint(whole(n), {whole(k)}, on.dtype(at::kLong)).sort());
}

at::Tensor hadamard(at::Tensor x) {
  const std::int64_t n = x.numel();
  for (std::int64_t half = 1; half < n; half *= 2) {
    at::Tensor pairs = x.view({-1, 2, half});
    at::Tensor a = pairs.select(1, 0), b = pairs.select(1, 1);
    x = at::stack({a + b, a - b}, 1).reshape({n});
  }
  return x;
}

// As PowerSGD's reference orthogonalises: column by column.
void gram_schmidt(at::Tensor matrix) {
  const std::int64_t rank = matrix.size(1);
  for (std::int64_t i = 0; i < rank; ++i) {
    at::Tensor column = matrix.narrow(1, i, 1);
    column.div_(column.square().sum().sqrt().add_(1e-8));
    if (i + 1 == rank) break;
    at::Tensor rest = matrix.narrow(1, i + 1, rank - i - 1);
    rest.sub_((column * rest).sum(0) * column);
  }
}

class PrimitiveClock {
 public:
  explicit PrimitiveClock(bool cuda)
      : cuda_(cuda), on_(at::TensorOptions().dtype(at::kFloat).device(cuda ? at::kCUDA : at::kCPU)) {}

  double seconds(Primitive primitive, std::array<std::uint64_t, 3> sizes) {
    return timed(operation(primitive, sizes));
  }

  /// Until the host has read a number of the device, nothing else being under way.
  double synchronisation() {
    at::Tensor number = at::ones({1}, on_);
    return timed([=] { (void)number.item<float>(); });
  }

 private:
  std::function<void()> operation(Primitive primitive, std::array<std::uint64_t, 3> sizes) {
    const auto [a, b, c] = sizes;
    const bool matrix = primitive == Primitive::gemm || primitive == Primitive::gram_schmidt ||
                        primitive == Primitive::qr || primitive == Primitive::svd;
    at::Tensor x = matrix ? at::randn({whole(a), whole(b)}, on_) : at::randn({whole(a)}, on_);
    switch (primitive) {
      case Primitive::elementwise: {
        at::Tensor y = at::randn_like(x), z = at::empty_like(x);
        return [=]() mutable { at::add_out(z, x, y); };
      }
      case Primitive::reduction: return [=] { x.norm(); };
      case Primitive::topk: return [=, k = whole(b)] { x.index_select(0, std::get<1>(x.abs().topk(k))); };
      case Primitive::chunk_top1: {
        at::Tensor chunks = x.narrow(0, 0, whole(a / b * b)).view({-1, whole(b)});
        return [=] { chunks.gather(1, chunks.abs().argmax(1, /*keepdim=*/true)); };
      }
      case Primitive::threshold_scan: {
        // Of normal numbers, the value that b of a exceed.
        float threshold = std::get<0>(x.abs().kthvalue(whole(a - b))).item<float>();
        return [=] { x.index_select(0, x.abs().gt(threshold).nonzero().view(-1)); };
      }
      case Primitive::gather: return [=, at = places(a, b, on_)] { x.index_select(0, at); };
      case Primitive::scatter: {
        at::Tensor values = at::randn({whole(b)}, on_);
        return [=, at = places(a, b, on_)]() mutable { x.index_add_(0, at, values); };
      }
      case Primitive::bit_pack: {
        at::Tensor weights = at::pow(2, at::arange(8, on_)).to(at::kByte);
        return [=] { (x.ge(0).view({-1, 8}).to(at::kByte) * weights).sum(1, /*keepdim=*/false, at::kByte); };
      }
      case Primitive::hadamard: return [=] { hadamard(x); };
      case Primitive::gemm: return [=, y = at::randn({whole(b), whole(c)}, on_)] { x.mm(y); };
      case Primitive::gram_schmidt: return [=] { gram_schmidt(x); };
      case Primitive::qr: return [=] { at::linalg_qr(x); };
      case Primitive::svd: return [=] { at::linalg_svd(x, /*full_matrices=*/false); };
    }
    throw std::logic_error("unknown primitive");
  }

  // Of one thread on a processor, the time that it computes: other work on the machine counts little then.
  double now() const {
    timespec time{};
    clock_gettime(cuda_ ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  void wait() const {
    if (cuda_) torch::cuda::synchronize();
  }

  // Median of several rounds, each so many calls that the clock's own error and the wait at the end vanish.
  double timed(const std::function<void()>& run) const {
    constexpr double kRound = 2e-3;
    constexpr int kRounds = 7, kMostCalls = 1000;
    auto round = [&](int calls) {
      wait();
      const double begin = now();
      for (int i = 0; i < calls; ++i) run();
      wait();
      return (now() - begin) / calls;
    };
    round(1);  // memory and kernels
    const double once = round(1);
    const int calls = std::clamp(static_cast<int>(kRound / std::max(once, 1e-9)), 1, kMostCalls);
    std::vector<double> rounds;
    for (int i = 0; i < kRounds; ++i) rounds.push_back(round(calls));
    std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
    return rounds[kRounds / 2];
  }

  bool cuda_;
  at::TensorOptions on_;
};

}  // namespace

Json calibrate(bool cuda) {
  use_one_thread_each();
  torch::autograd::AutoGradMode no_graph(false);
  at::manual_seed(1);
  PrimitiveClock clock(cuda);
  auto seconds = [&](Primitive primitive, std::array<std::uint64_t, 3> sizes) {
    return clock.seconds(primitive, sizes);
  };
  Json description;
  description["format"] = 1;
#ifdef TRAINCAST_WITH_CUDA
  description["device"] = cuda ? cuda_device_name() : cpu_name();
#else
  description["device"] = cpu_name();
#endif
  description["source"] = "measured by traincast-capture --calibrate with LibTorch " + libtorch_version() +
                          (cuda ? "" : ", one thread");
  // Three of 2^22 are 48 MiB, which the cache of a GPU holds.
  const std::uint64_t longest = std::uint64_t{1} << (cuda ? 24 : 22);
  description["accelerator"] = calibrated_numbers(seconds, clock.synchronisation(), longest);
  return description;
}

}  // namespace traincast
