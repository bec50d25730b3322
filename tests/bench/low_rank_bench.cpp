// The passes of low-rank methods as ratios to what the same process needs for the least that is possible: a
// matrix read once, a matrix product of Eigen's, Eigen's QR. Not a test; run it on an idle machine and take
// the best of several: traincast-bench-low-rank --benchmark_repetitions=9.
#include <benchmark/benchmark.h>
#include <time.h>

#include <Eigen/Core>
#include <Eigen/QR>
#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "compressors/low_rank/low_rank.hpp"

namespace traincast {
namespace {

std::vector<float> drawn(std::size_t size) {
  RandomStream random({.seed = 5});
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Of this thread: other programs on the machine cost the caches only.
template <class F>
double seconds(F&& f) {
  auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  f();
  return now() - begin;
}

/// Every element once, as fast as this processor can: sums of 64 floats side by side.
float read_once(const std::vector<float>& values) {
  float sums[64] = {};
  for (std::size_t i = 0; i + 64 <= values.size(); i += 64)
    for (std::size_t lane = 0; lane < 64; ++lane) sums[lane] += values[i + lane];
  return *std::max_element(std::begin(sums), std::end(sums));
}

/// Runs both by turns and reports the ratio of their best times.
template <class Ours, class Floor>
void compare(benchmark::State& state, const char* name, Ours&& ours, Floor&& floor) {
  double best_ours = 1e9, best_floor = 1e9;
  for (auto _ : state) {
    best_floor = std::min(best_floor, seconds(floor));
    const double time = seconds(ours);
    best_ours = std::min(best_ours, time);
    state.SetIterationTime(time);
  }
  state.counters[name] = best_ours / best_floor;
}

using Columns = Eigen::MatrixXf;
using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
Eigen::Index at(std::size_t size) { return static_cast<Eigen::Index>(size); }

struct Operands {
  explicit Operands(const benchmark::State& state)
      : n(static_cast<std::size_t>(state.range(0))),
        m(static_cast<std::size_t>(state.range(1))),
        r(static_cast<std::size_t>(state.range(2))),
        matrix(drawn(n * m)),
        p(drawn(n * r)),
        q(drawn(m * r)),
        view{matrix.data(), n, m} {}
  std::size_t n, m, r;
  std::vector<float> matrix, p, q;
  MatrixView view;
};

void ProjectAgainstReading(benchmark::State& state) {
  Operands o(state);
  compare(
      state, "of_reading", [&] { project(o.view, o.q, o.p, o.r); },
      [&] { benchmark::DoNotOptimize(read_once(o.matrix)); });
}

void ProjectBackAgainstReading(benchmark::State& state) {
  Operands o(state);
  compare(
      state, "of_reading", [&] { project_back(o.view, o.p, o.q, o.r); },
      [&] { benchmark::DoNotOptimize(read_once(o.matrix)); });
}

void ExpandAgainstWriting(benchmark::State& state) {
  Operands o(state);
  compare(
      state, "of_writing", [&] { expand(o.p, o.q, o.r, o.n, o.m, o.matrix); },
      [&] { std::fill(o.matrix.begin(), o.matrix.end(), 1.0f); });
}

void ProjectAgainstEigen(benchmark::State& state) {
  Operands o(state);
  Eigen::Map<Rows> matrix(o.matrix.data(), at(o.n), at(o.m));
  Eigen::Map<Columns> p(o.p.data(), at(o.n), at(o.r)), q(o.q.data(), at(o.m), at(o.r));
  compare(
      state, "of_eigen", [&] { project(o.view, o.q, o.p, o.r); }, [&] { p.noalias() = matrix * q; });
}

void ProjectBackAgainstEigen(benchmark::State& state) {
  Operands o(state);
  Eigen::Map<Rows> matrix(o.matrix.data(), at(o.n), at(o.m));
  Eigen::Map<Columns> p(o.p.data(), at(o.n), at(o.r)), q(o.q.data(), at(o.m), at(o.r));
  compare(
      state, "of_eigen", [&] { project_back(o.view, o.p, o.q, o.r); },
      [&] { q.noalias() = matrix.transpose() * p; });
}

void ExpandAgainstEigen(benchmark::State& state) {
  Operands o(state);
  Eigen::Map<Rows> matrix(o.matrix.data(), at(o.n), at(o.m));
  Eigen::Map<Columns> p(o.p.data(), at(o.n), at(o.r)), q(o.q.data(), at(o.m), at(o.r));
  compare(
      state, "of_eigen", [&] { expand(o.p, o.q, o.r, o.n, o.m, o.matrix); },
      [&] { matrix.noalias() = p * q.transpose(); });
}

void OrthogonaliseAgainstEigen(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0)), r = static_cast<std::size_t>(state.range(1));
  const std::vector<float> drawn_p = drawn(n * r);
  std::vector<float> p(n * r);
  Columns q;
  compare(
      state, "of_eigen",
      [&] {
        p = drawn_p;
        orthogonalise(p, n, r);
      },
      [&] {
        Eigen::HouseholderQR<Columns> qr(Eigen::Map<const Columns>(drawn_p.data(), at(n), at(r)));
        q = qr.householderQ() * Columns::Identity(at(n), at(r));
        benchmark::DoNotOptimize(q.data());
      });
}

struct Layer {
  std::size_t rows, columns, count;
};

/// The matrices of ResNet-50 for ImageNet.
const std::vector<Layer>& resnet50() {
  static const std::vector<Layer> layers = [] {
    std::vector<Layer> all = {{64, 147, 1}};
    std::size_t in = 64;
    for (auto [width, blocks] : {std::pair<std::size_t, std::size_t>{64, 3}, {128, 4}, {256, 6}, {512, 3}})
      for (std::size_t block = 0; block < blocks; ++block) {
        all.push_back({width, in, 1});
        all.push_back({width, 9 * width, 1});
        all.push_back({4 * width, width, 1});
        if (block == 0) all.push_back({4 * width, in, 1});
        in = 4 * width;
      }
    all.push_back({1000, 2048, 1});
    return all;
  }();
  return layers;
}

/// Of BERT-base, uncased: embeddings, twelve layers, pooler.
const std::vector<Layer> kBert = {{30522, 768, 1}, {512, 768, 1},   {2, 768, 1},  {768, 768, 12 * 4},
                                  {3072, 768, 12}, {768, 3072, 12}, {768, 768, 1}};

/// A whole step's passes of PowerSGD over all matrices of a model: P, Gram–Schmidt, Q, product; against as
/// many readings (and one writing) of the model.
void Model(benchmark::State& state, const std::vector<Layer>& layers) {
  const auto rank = static_cast<std::size_t>(state.range(0));
  std::size_t largest = 0, longest = 0;
  for (const Layer& l : layers) {
    largest = std::max(largest, l.rows * l.columns);
    longest = std::max({longest, l.rows, l.columns});
  }
  // Layers lie in one long vector, so that none is in a cache when its turn comes.
  std::size_t total = 0;
  for (const Layer& l : layers) total += l.count * l.rows * l.columns;
  std::vector<float> gradient = drawn(total), p(longest * rank), q = drawn(longest * rank);
  auto each = [&](auto&& f) {
    std::size_t begin = 0;
    for (const Layer& l : layers)
      for (std::size_t i = 0; i < l.count; ++i, begin += l.rows * l.columns)
        f(MatrixView{gradient.data() + begin, l.rows, l.columns}, std::min({rank, l.rows, l.columns}), begin);
  };
  compare(
      state, "of_three_passes",
      [&] {
        each([&](MatrixView view, std::size_t r, std::size_t begin) {
          project(view, q, p, r);
          orthogonalise(std::span(p).first(view.rows * r), view.rows, r);
          project_back(view, p, q, r);
          expand(p, q, r, view.rows, view.columns,
                 std::span(gradient).subspan(begin, view.rows * view.columns));
        });
      },
      [&] {
        benchmark::DoNotOptimize(read_once(gradient));
        benchmark::DoNotOptimize(read_once(gradient));
        std::fill(gradient.begin(), gradient.end(), 0.5f);
      });
}
void ResNet50(benchmark::State& state) { Model(state, resnet50()); }
void BertBase(benchmark::State& state) { Model(state, kBert); }

void in_memory(benchmark::internal::Benchmark* b) {
  for (int rank : {1, 2, 4})
    for (auto [n, m] : {std::pair{4096, 16384}, {512, 4608}}) b->Args({n, m, rank});
  b->UseManualTime()->Unit(benchmark::kMillisecond);
}
void at_rank_32(benchmark::internal::Benchmark* b) {
  for (auto [n, m] : {std::pair{4096, 4096}, {512, 4608}, {768, 3072}, {3072, 768}}) b->Args({n, m, 32});
  b->UseManualTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(ProjectAgainstReading)->Apply(in_memory);
BENCHMARK(ProjectBackAgainstReading)->Apply(in_memory);
BENCHMARK(ExpandAgainstWriting)->Apply(in_memory);
BENCHMARK(ProjectAgainstEigen)->Apply(at_rank_32);
BENCHMARK(ProjectBackAgainstEigen)->Apply(at_rank_32);
BENCHMARK(ExpandAgainstEigen)->Apply(at_rank_32);
BENCHMARK(OrthogonaliseAgainstEigen)
    ->ArgsProduct({{512, 4608}, {1, 2, 4, 8, 32}})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(ResNet50)->Arg(4)->Arg(32)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(0.2);
BENCHMARK(BertBase)->Arg(4)->Arg(32)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(0.2);

}  // namespace
}  // namespace traincast

BENCHMARK_MAIN();
