// PowerSGD: each gradient matrix is sent as a product of two thin ones, which can both be summed in flight.
// Vogels et al. 2019 (arXiv 1905.13727).
#include <stdexcept>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/factor_sum.hpp"
#include "compressors/low_rank/factors.hpp"
#include "compressors/low_rank/whole.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

class PowerSgd final : public Compressor {
 public:
  PowerSgd(std::uint64_t rank, bool warm_start, FactorCoding coding, std::uint64_t seed)
      : rank_(rank), warm_start_(warm_start), coding_(coding), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  bool linear() const override { return coding_ == FactorCoding::fp32; }
  void refuse_learners(std::uint32_t learners) const override {
    if (coding_ == FactorCoding::int8) integers_for(learners);
  }
  /// As in the authors' code. Their Algorithm 2 has the local error; the mean of the memories, and with it
  /// the trajectory, is the same.
  ErrorRule error_rule() const override { return {ErrorRule::Error::global, 1}; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (unit.tensors.size() != 1) throw std::logic_error("PowerSGD takes one tensor at a time");
    const Factors factors = Factors::of(unit, rank_);
    // Vectors travel between P and Q, and are awaited at the end only (the authors' code).
    if (factors.matrices().empty())
      return send_whole(group, phases_of(coding_), false, source, contributions, average);
    prepare_q(step, factors, unit);
    send_factors(factors, source, group, contributions, average);
  }

  /// The factor Q of the next step, column after column; nothing before the first step. A test or another
  /// implementation's state may be put in this way; without warm start it is not used.
  void save(Writer& writer) const override { writer.put_all(std::span<const float>(q_)); }
  void load(Reader& reader) override { q_ = reader.get_all<float>(); }

 private:
  /// Vogels et al. 2019, Algorithm 1; P is summed, not averaged, for its scale is lost in the
  /// orthogonalisation.
  void send_factors(const Factors& factors, const GradientSource& source, Group& group,
                    Contributions& contributions, std::span<float> average) {
    const std::vector<Work> product = factors.product_work(Launches::per_matrix);
    const bool report = contributions.wants_dense();
    std::vector<float> vector(average.size()), p(factors.size(Side::p)), own(report ? average.size() : 0);

    const unsigned phases = phases_of(coding_);
    sum_factors(group, 0, coding_, factors, Side::p, p, product,
                [&](LearnerId learner, std::span<float> addend) {
                  source.read(learner, vector);
                  factors.project(Side::p, vector, q_, addend);
                },
                {});

    group.phase(phases + 1);
    group.once(Stage::encode,
               factors.orthogonalise_work(Side::p, Launches::per_matrix,
                                          [](std::size_t) { return Primitive::gram_schmidt; }),
               [&] {
                 factors.orthogonalise(Side::p, p,
                                       [](std::span<float> columns, std::size_t n, std::size_t rank) {
                                         orthogonalise(columns, n, rank);
                                       });
               });
    std::vector<Work> work = product;
    if (report) work.insert(work.end(), product.begin(), product.end());
    sum_factors(
        group, phases + 1, coding_, factors, Side::q, q_, work,
        [&](LearnerId learner, std::span<float> addend) {
          source.read(learner, vector);
          factors.project(Side::q, vector, p, addend);
        },
        [&](LearnerId learner, std::span<const float> sent) {
          if (!report) return;
          factors.expand(p, sent, own);
          contributions.kept(learner, own);
        });
    take_mean(q_, group.size());

    group.phase(2 * phases + 1);
    group.once(Stage::decode, product, [&] { factors.expand(p, q_, average); });
  }

  /// Drawn from N(0, 1) by a seed that all learners share; kept from step to step where warm.
  void prepare_q(const Step& step, const Factors& factors, const Bucket& unit) {
    const std::size_t size = factors.size(Side::q);
    if (warm_start_ && !q_.empty()) return expect_factor(q_, size, unit);
    q_.resize(size);
    factors.draw(Side::q, seed_, warm_start_ ? 0 : step.index, q_);
  }

  std::uint64_t rank_;
  bool warm_start_;
  FactorCoding coding_;
  std::uint64_t seed_;
  std::vector<float> q_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"warm_start", Unit::flag, "", "true", "start from the factor of the step before"},
    {"factors", Unit::word, "fp32|bf16|int8", "fp32",
     "P and Q on the wire: floats; halves; or levels of 8 bits at the largest magnitude of all learners, "
     "whose "
     "sum takes 16 from two learners on"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  const std::string& factors = parameters.word("factors");
  return std::make_unique<PowerSgd>(static_cast<std::uint64_t>(parameters.count("rank")),
                                    parameters.flag("warm_start"),
                                    factors == "bf16"   ? FactorCoding::bf16
                                    : factors == "int8" ? FactorCoding::int8
                                                        : FactorCoding::fp32,
                                    seed);
}

}  // namespace

const Entry<MakeCompressor> kPowerSgdMethod{
    "powersgd", "sends matrices as products of two thin ones, vectors dense; summed in flight",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Algorithms 1 and 2", kParameters, make};

}  // namespace traincast
