// PowerSGD: each gradient matrix is sent as a product of two thin ones, which can both be summed in flight.
// Vogels et al. 2019 (arXiv 1905.13727).
#include <algorithm>
#include <stdexcept>
#include <string>

#include "base/random.hpp"
#include "compressors/low_rank/low_rank.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

class PowerSgd final : public Compressor {
 public:
  PowerSgd(std::uint64_t rank, bool warm_start, std::uint64_t seed)
      : rank_(rank), warm_start_(warm_start), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  /// As in the authors' code. Their Algorithm 2 has the local error; the mean of the memories, and with it
  /// the trajectory, is the same.
  ErrorRule error_rule() const override { return {ErrorRule::Error::global, 1}; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (unit.tensors.size() != 1) throw std::logic_error("PowerSGD takes one tensor at a time");
    if (unit.tensors[0].shape.size() <= 1)
      send_whole(source, group, contributions, average);
    else
      send_factors(step, unit.tensors[0], source, group, contributions, average);
  }

  /// The factor Q of the next step, column after column; nothing before the first step. A test or another
  /// implementation's state may be put in this way; without warm start it is not used.
  void save(Writer& writer) const override { writer.put_all(std::span<const float>(q_)); }
  void load(Reader& reader) override { q_ = reader.get_all<float>(); }

 private:
  /// Vectors go dense, between P and Q, and are awaited at the end only (the authors' code).
  static void send_whole(const GradientSource& source, Group& group, Contributions& contributions,
                         std::span<float> average) {
    group.phase(1);
    auto addend = [&](LearnerId learner, std::span<float> out) {
      source.read(learner, out);
      contributions.kept_all(learner);
    };
    group.all_reduce(Element::fp32, average, {}, addend, /*waits=*/false);
    for (float& value : average) value /= static_cast<float>(group.size());
  }

  /// Vogels et al. 2019, Algorithm 1; P is summed, not averaged, for its scale is lost in the
  /// orthogonalisation.
  void send_factors(const Step& step, const TensorInfo& tensor, const GradientSource& source, Group& group,
                    Contributions& contributions, std::span<float> average) {
    const std::size_t n = static_cast<std::size_t>(tensor.shape[0]);
    const std::size_t m = n == 0 ? 0 : tensor.numel() / n;
    const std::size_t rank = std::min<std::uint64_t>({n, m, rank_});
    prepare_q(step, tensor, m * rank);
    std::vector<float> vector(n * m), p(n * rank), own(contributions.wants_dense() ? n * m : 0);
    MatrixView matrix{vector.data(), n, m};

    group.phase(0);
    group.all_reduce(Element::fp32, p, {{Primitive::gemm, {n, m, rank}}},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, vector);
                       project(matrix, q_, addend, rank);
                     });

    group.phase(2);
    group.once(Stage::encode, {{Primitive::gram_schmidt, {n, rank, 0}}}, [&] { orthogonalise(p, n, rank); });
    std::vector<Work> work = {{Primitive::gemm, {m, n, rank}}};
    if (contributions.wants_dense()) work.push_back({Primitive::gemm, {n, m, rank}});
    group.all_reduce(Element::fp32, q_, work, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, vector);
      project_back(matrix, p, addend, rank);
      if (!contributions.wants_dense()) return;
      expand(p, addend, rank, n, m, own);
      contributions.kept(learner, own);
    });
    for (float& value : q_) value /= static_cast<float>(group.size());

    group.phase(3);
    group.once(Stage::decode, {{Primitive::gemm, {n, m, rank}}}, [&] { expand(p, q_, rank, n, m, average); });
  }

  /// Drawn from N(0, 1) by a seed that all learners share; kept from step to step where warm.
  void prepare_q(const Step& step, const TensorInfo& tensor, std::size_t size) {
    if (warm_start_ && !q_.empty()) {
      if (q_.size() != size)
        throw InputError("saved PowerSGD factor of '" + tensor.name + "' has " + std::to_string(q_.size()) +
                         " values, not " + std::to_string(size));
      return;
    }
    RandomStream random({.seed = seed_,
                         .purpose = Purpose::shared,
                         .step = warm_start_ ? 0 : step.index,
                         .learner = 0,
                         .tensor = tensor.id});
    q_.resize(size);
    for (float& value : q_) value = static_cast<float>(random.normal());
  }

  std::uint64_t rank_;
  bool warm_start_;
  std::uint64_t seed_;
  std::vector<float> q_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"warm_start", Unit::flag, "", "true", "start from the factor of the step before"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return std::make_unique<PowerSgd>(static_cast<std::uint64_t>(parameters.count("rank")),
                                    parameters.flag("warm_start"), seed);
}

}  // namespace

const Entry<MakeCompressor> kPowerSgdMethod{
    "powersgd", "sends matrices as products of two thin ones, vectors dense; summed in flight",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Algorithms 1 and 2", kParameters, make};

}  // namespace traincast
