// LSG: a clipped gradient as a low-rank part by random projection and a sparse rest, with Gaussian noise on
// all that is sent (arXiv 2207.02699). Inferred throughout: the paper's abstract and its wire format (two
// thin factors, and a value and a place for each entry of the rest) are followed, its pseudocode was not at
// hand.
//
// With orthonormal carriers L (n × r) and R (m × r) that all learners draw from one seed, a matrix M becomes
// M·R, Lᵀ(M − M R Rᵀ) and the rest E. The three are orthogonal parts of M, and carriers do not depend on
// data, so that together they move by no more than the gradient does: by the clipping bound C, where a
// learner's gradient is added or left out. Noise of standard deviation z·C on every number makes a step one
// Gaussian release; which entries of the noisy rest are largest, and the mean, come after it and cost nothing
// more.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/random.hpp"
#include "compressors/gathered.hpp"
#include "compressors/low_rank/low_rank.hpp"
#include "compressors/methods.hpp"
#include "compressors/privacy.hpp"
#include "compressors/sparse/select.hpp"

namespace traincast {

namespace {

class Lsg final : public Compressor {
 public:
  struct Settings {
    std::uint64_t rank;
    double density, clip, noise;
  };
  Lsg(const Settings& settings, std::uint64_t seed) : settings_(settings), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return {}; }
  bool sizes_depend_on_values() const override { return false; }
  bool needs_gradient_norms() const override { return true; }
  bool forbids_memory() const override { return true; }
  bool scales() const override { return false; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const TensorInfo& tensor = unit.tensors.front();
    if (tensor.shape.size() > 1 && tensor.numel() > 0)
      send_matrix(step, unit, source, group, contributions, average);
    else
      send_vector(step, unit, source, group, contributions, average);
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// Vectors have no rank to lose: clipped, noisy, dense.
  void send_vector(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                   Contributions& contributions, std::span<float> average) {
    group.phase(0);
    group.all_reduce(Element::fp32, average, {{Primitive::elementwise, {unit.numel(), 0, 0}, 2}},
                     [&](LearnerId learner, std::span<float> addend) {
                       read_clipped(step, source, learner, addend);
                       RandomStream noise = noise_of(step, unit, learner);
                       add_noise(noise, addend);
                       contributions.kept(learner, addend);
                     });
    take_mean(average, group.size());
  }

  void send_matrix(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                   Contributions& contributions, std::span<float> average) {
    const auto n = static_cast<std::size_t>(unit.tensors.front().shape[0]);
    const std::size_t numel = unit.numel(), m = numel / n;
    const std::size_t rank = std::min<std::uint64_t>({settings_.rank, n, m});
    const std::size_t k = share_of(settings_.density, numel);
    std::vector<float> left(n * rank), right(m * rank), matrix(numel), low(numel), factors((n + m) * rank);
    std::vector<SparseVector> rests(group.size());
    MatrixView view{matrix.data(), n, m};
    /// L·(second factor)ᵀ + (first factor)·Rᵀ.
    auto low_rank_of = [&](std::span<const float> both, std::span<float> into) {
      expand(both.first(n * rank), right, rank, n, m, into);
      expand(left, both.subspan(n * rank), rank, n, m, low);
      for (std::size_t i = 0; i < numel; ++i) into[i] += low[i];
    };

    group.phase(0);
    group.once(Stage::encode, {{Primitive::qr, {n, rank, 0}}, {Primitive::qr, {m, rank, 0}}}, [&] {
      RandomStream shared({seed_, Purpose::shared, step.index, 0, unit.id});
      for (float& value : left) value = static_cast<float>(shared.normal());
      for (float& value : right) value = static_cast<float>(shared.normal());
      orthogonalise_by_reflections(left, n, rank);
      orthogonalise_by_reflections(right, m, rank);
    });
    std::vector<float> own(numel);
    std::vector<Work> work = {{Primitive::gemm, {n, m, rank}, 4},
                              {Primitive::elementwise, {numel, 0, 0}, 4},
                              {Primitive::topk, {numel, k, 0}}};
    group.all_reduce(Element::fp32, factors, work, [&](LearnerId learner, std::span<float> both) {
      read_clipped(step, source, learner, matrix);
      auto first = both.first(n * rank), second = both.subspan(n * rank);
      project(view, right, first, rank);
      expand(first, right, rank, n, m, own);
      for (std::size_t i = 0; i < numel; ++i) matrix[i] -= own[i];
      project_back(view, left, second, rank);
      expand(left, second, rank, n, m, own);
      for (std::size_t i = 0; i < numel; ++i) matrix[i] -= own[i];
      RandomStream noise = noise_of(step, unit, learner);
      add_noise(noise, both);
      add_noise(noise, matrix);
      SparseVector& rest = rests[learner];
      rest.indices = largest(matrix, k);
      for (Index place : rest.indices) rest.values.push_back(matrix[place]);
      low_rank_of(both, own);
      for (std::size_t j = 0; j < rest.indices.size(); ++j) own[rest.indices[j]] += rest.values[j];
      contributions.kept(learner, own);
    });

    group.phase(1);
    group.all_gather({}, [&](LearnerId learner, Bytes& value_bytes) {
      Message message;
      append(message, std::span<const Index>(rests[learner].indices));
      append(message, std::span<const float>(rests[learner].values));
      value_bytes = sizeof(float) * rests[learner].values.size();
      return message;
    });

    group.phase(2);
    group.once(Stage::decode,
               {{Primitive::gemm, {n, m, rank}, 2}, {Primitive::scatter, {numel, k, 0}, group.size()}}, [&] {
                 low_rank_of(factors, average);
                 for (const SparseVector& rest : rests)
                   for (std::size_t j = 0; j < rest.indices.size(); ++j)
                     average[rest.indices[j]] += rest.values[j];
                 take_mean(average, group.size());
               });
  }

  /// g · min(1, C / ‖g‖), the norm being the whole model's.
  void read_clipped(const Step& step, const GradientSource& source, LearnerId learner,
                    std::span<float> into) const {
    source.read(learner, into);
    const double norm = step.gradient_norms[learner];
    if (norm <= settings_.clip) return;
    const auto factor = static_cast<float>(settings_.clip / norm);
    for (float& value : into) value *= factor;
  }

  RandomStream noise_of(const Step& step, const Bucket& unit, LearnerId learner) const {
    return RandomStream({seed_, Purpose::compressor, step.index, learner, unit.id});
  }
  void add_noise(RandomStream& noise, std::span<float> values) const {
    const double deviation = settings_.noise * settings_.clip;
    if (deviation == 0) return;
    for (float& value : values) value += static_cast<float>(deviation * noise.normal());
  }

  Settings settings_;
  std::uint64_t seed_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"density", Unit::ratio, "(0, 1]", "0.001", "of the sparse rest: k = density · elements, at least 1"},
    {"clip", Unit::ratio, "(0, inf)", "1", "the norm to which a learner's whole gradient is clipped"},
    {"noise", Unit::flag, "", "true", "false: none is added, and nothing is private"},
    {"epsilon", Unit::ratio, "(0, inf)", "8",
     "of all releases, at `delta`; the noise follows from it, less for a larger one"},
    {"delta", Unit::ratio, "(0, 1)", "1e-5", "probability with which `epsilon` may not hold"},
    {"releases", Unit::count, "[1, inf)", "1000", "steps of the training that `epsilon` covers"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  Lsg::Settings settings{static_cast<std::uint64_t>(parameters.count("rank")), parameters.number("density"),
                         parameters.number("clip"), 0};
  if (parameters.flag("noise"))
    settings.noise = noise_for(parameters.number("epsilon"), parameters.number("delta"),
                               static_cast<std::uint64_t>(parameters.count("releases")));
  return std::make_unique<Lsg>(settings, seed);
}

}  // namespace

const Entry<MakeCompressor> kLsgMethod{
    "lsg", "clipped and noisy: two thin factors by random projection, and the largest entries of the rest",
    "arXiv 2207.02699 (LSG), inferred from its abstract; noise by Mironov 2017 (arXiv 1702.07476)",
    kParameters, make};

}  // namespace traincast
