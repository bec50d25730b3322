// Encoding and decoding of every method as multiples of reading the gradient once, on one core and on two:
//   traincast-bench-methods [--benchmark_filter=topk.*25M] …
// Ratios are to the time of reading (for rotations: of copying) as many floats with as many cores, measured
// in this process right before; both in the processor's time of the slower thread, which other work on the
// machine disturbs through caches and memory only.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/json.hpp"
#include "base/machine.hpp"
#include "base/random.hpp"
#include "compressors/compressor_catalog.hpp"
#include "compressors/error_feedback.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {
namespace {

/// f(0 … threads−1) at once.
void on_threads(unsigned threads, const std::function<void(unsigned)>& f) {
  std::vector<std::thread> others;
  for (unsigned t = 1; t < threads; ++t) others.emplace_back(f, t);
  f(0);
  for (std::thread& other : others) other.join();
}

/// Nearly normal numbers, as gradients are: sums of four uniform ones.
const std::vector<float>& gradient(std::uint64_t numel) {
  static std::vector<float> values;
  static std::uint64_t made = 0;
  if (made == numel) return values;
  values.resize(numel);
  made = numel;
  on_threads(2, [&](unsigned half) {
    RandomStream random({.seed = 1, .purpose = Purpose::data, .step = 0, .learner = half});
    std::uint64_t middle = numel / 2;
    for (std::uint64_t i = half ? middle : 0; i < (half ? numel : middle); ++i) {
      std::uint32_t a = random.next(), b = random.next();
      values[i] = (static_cast<float>(a & 0xffff) + static_cast<float>(a >> 16) -
                   static_cast<float>(b & 0xffff) - static_cast<float>(b >> 16)) *
                  0x1p-16f;
    }
  });
  return values;
}

std::span<const float> part(std::uint64_t numel, unsigned threads, unsigned t) {
  return std::span(gradient(numel)).subspan(t * (numel / threads), numel / threads);
}

/// The best of several passes.
double read_floor(std::uint64_t numel, unsigned threads) {
  static std::map<std::pair<std::uint64_t, unsigned>, double> known;
  auto [at, fresh] = known.try_emplace({numel, threads}, 1e9);
  if (!fresh) return at->second;
  for (int pass = 0; pass < 7; ++pass) {
    std::vector<double> seconds(threads);
    on_threads(threads, [&](unsigned t) {
      auto values = part(numel, threads, t);
      double begin = thread_clock();
      benchmark::DoNotOptimize(kernels().largest_magnitude(values.data(), values.size()));
      seconds[t] = thread_clock() - begin;
    });
    at->second = std::min(at->second, *std::max_element(seconds.begin(), seconds.end()));
  }
  return at->second;
}

double copy_floor(std::uint64_t numel) {
  std::vector<float> copy(numel, 1.0f);
  double best = 1e9;
  for (int pass = 0; pass < 5; ++pass) {
    double begin = thread_clock();
    std::memcpy(copy.data(), gradient(numel).data(), numel * sizeof(float));
    benchmark::DoNotOptimize(copy.data());
    best = std::min(best, thread_clock() - begin);
  }
  return best;
}

class Part final : public GradientSource {
 public:
  explicit Part(std::span<const float> values) : values_(values) {}
  void read(LearnerId, std::span<float> into) const override {
    std::memcpy(into.data(), values_.data(), values_.size_bytes());
  }

 private:
  std::span<const float> values_;
};

struct Seconds {
  double encode = 0, decode = 0;
};

/// One learner's work in one step, each thread with its part of the vector as a tensor of its own; of the
/// slower thread. Reading the gradient is taken out.
Seconds step_seconds(const std::string& json, std::uint64_t numel, unsigned threads) {
  std::vector<Seconds> seconds(threads);
  on_threads(threads, [&](unsigned t) {
    Json value = Json::parse(json, "method");
    JsonReader reader(value, "method");
    const auto& entry = compressor_catalog().find(reader);
    auto values = part(numel, threads, t);
    const auto size = static_cast<std::int64_t>(values.size());
    Bucket unit{t, {{t, "tensor", {size / 1000, 1000}, "linear.weight"}}};
    ErrorFeedback method(entry.make(read_parameters(reader, entry.name, entry.parameters), 1), {}, 1,
                         values.size());
    Group group(1, 0, thread_clock);
    const LearnerId alone[] = {0};
    const double norms[] = {1};
    std::vector<float> average(values.size());
    method.aggregate({.learners = alone, .gradient_norms = norms}, unit, Part(values), group, average);
    for (const PhaseSeconds& phase : group.seconds()) {
      seconds[t].encode += phase.each[0][0] + phase.once[0];
      seconds[t].decode += phase.each[1][0] + phase.once[1];
    }
  });
  Seconds slowest;
  for (const Seconds& one : seconds) {
    slowest.encode = std::max(slowest.encode, one.encode);
    slowest.decode = std::max(slowest.decode, one.decode);
  }
  return slowest;
}

void measure(benchmark::State& state, const std::string& json, std::uint64_t numel, unsigned threads) {
  const double floor = read_floor(numel, threads);
  Seconds best{1e9, 1e9};
  for (auto _ : state) {
    Seconds seconds = step_seconds(json, numel, threads);
    state.SetIterationTime(seconds.encode + seconds.decode);
    best.encode = std::min(best.encode, seconds.encode);
    best.decode = std::min(best.decode, seconds.decode);
  }
  state.counters["floor_ms"] = floor * 1e3;
  state.counters["encode/floor"] = best.encode / floor;
  state.counters["decode/floor"] = best.decode / floor;
}

void measure_hadamard(benchmark::State& state, std::uint64_t numel) {
  const double floor = copy_floor(numel);
  double best = 1e9;
  std::vector<float> values;
  for (auto _ : state) {
    values.assign(gradient(numel).begin(), gradient(numel).end());
    double begin = thread_clock();
    kernels().walsh_hadamard(values.data(), numel);
    best = std::min(best, thread_clock() - begin);
    state.SetIterationTime(best);
  }
  state.counters["floor_ms"] = floor * 1e3;
  state.counters["encode/floor"] = best / floor;
}

const std::pair<const char*, const char*> kMethods[] = {
    {"topk_0.1%", R"({"name": "topk", "density": 0.001})"},
    {"topk_1%", R"({"name": "topk", "density": 0.01})"},
    {"random_k_0.1%", R"({"name": "random_k", "density": 0.001})"},
    {"random_k_1%", R"({"name": "random_k", "density": 0.01})"},
    {"random_block_1%", R"({"name": "random_block", "density": 0.01})"},
    {"threshold", R"({"name": "threshold", "threshold": 1.5})"},
    {"wangni_1%", R"({"name": "wangni", "density": 0.01})"},
    {"dgc_0.1%", R"({"name": "dgc", "density": 0.001})"},
    {"sidco_0.1%", R"({"name": "sidco", "density": 0.001})"},
    {"mstopk_0.1%", R"({"name": "mstopk", "density": 0.001})"},
    {"scalecom_100", R"({"name": "scalecom", "rate": 100})"},
    {"gtopk_0.1%", R"({"name": "gtopk", "density": 0.001})"},
    {"oktopk_0.1%", R"({"name": "oktopk", "density": 0.001})"},
    {"omnireduce", R"({"name": "omnireduce"})"},
    {"bf16", R"({"name": "none", "precision": "bf16"})"},
    {"fp16", R"({"name": "fp16"})"},
    {"int8", R"({"name": "int8"})"},
    {"qsgd_4bit", R"({"name": "qsgd", "levels": 7})"},
    {"qsgd_8bit", R"({"name": "qsgd"})"},
    {"qsgd_maxnorm", R"({"name": "qsgd_maxnorm"})"},
    {"terngrad", R"({"name": "terngrad"})"},
    {"natural", R"({"name": "natural"})"},
    {"onebit_sgd", R"({"name": "onebit_sgd", "transport": "all_gather"})"},
    {"signsgd", R"({"name": "signsgd", "aggregate": "mean"})"},
    {"ef_signsgd", R"({"name": "ef_signsgd"})"},
    {"tbq", R"({"name": "tbq"})"},
    {"dettmers8", R"({"name": "dettmers8"})"},
    {"fosgd", R"({"name": "fosgd", "transport": "all_gather"})"},
    {"eden_1bit", R"({"name": "eden"})"},
    {"thc", R"({"name": "thc"})"},
    {"cgx", R"({"name": "cgx"})"},
    {"powersgd_4", R"({"name": "powersgd", "rank": 4})"},
};

void register_all() {
  for (auto [size_name, numel] :
       {std::pair{"1M", 1000000ull}, {"25M", 25000000ull}, {"100M", 100000000ull}}) {
    for (auto [name, json] : kMethods)
      for (unsigned threads : {1u, 2u}) {
        std::string full = std::string(name) + "/" + size_name + "/" + (threads == 1 ? "1core" : "2cores");
        benchmark::RegisterBenchmark(
            full.c_str(), [json = std::string(json), numel = numel,
                           threads](benchmark::State& state) { measure(state, json, numel, threads); })
            ->Iterations(numel < 10000000 ? 9 : 3)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
      }
  }
  for (auto [name, numel] : {std::pair{"hadamard/1M/1core", 1ull << 20}, {"hadamard/16M/1core", 1ull << 24}})
    benchmark::RegisterBenchmark(name,
                                 [numel = numel](benchmark::State& state) { measure_hadamard(state, numel); })
        ->Iterations(5)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace traincast

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  traincast::keep_freed_memory();
  traincast::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
