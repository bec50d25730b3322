// The best rank-r approximation of the mean matrix: what PowerSGD's power iteration comes near to, at the
// price of sending everything. A baseline of quality (Vogels et al. 2019, arXiv 1905.13727, Table 2), not of
// speed.
#include <algorithm>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/factors.hpp"
#include "compressors/low_rank/symmetric_eigen.hpp"
#include "compressors/low_rank/whole.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

class BestRank final : public Compressor {
 public:
  explicit BestRank(std::uint64_t rank) : rank_(rank) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  bool linear() const override { return true; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::global, 1}; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const Factors factors = Factors::of(unit, rank_);
    if (factors.matrices().empty()) return send_whole(group, 0, true, source, contributions, average);
    std::vector<float> mean(average.size()), p(factors.size(Side::p)), q(factors.size(Side::q));
    std::vector<float> vector(average.size());

    group.phase(0);
    group.all_reduce(Element::fp32, mean, {},
                     [&](LearnerId learner, std::span<float> addend) { source.read(learner, addend); });
    take_mean(mean, group.size());

    group.phase(1);
    // Singular vectors, a projection on them, an expansion.
    std::vector<Work> work;
    for (const FactoredMatrix& m : factors.matrices())
      work.push_back({Primitive::svd, {m.rows, m.columns, 0}});
    for (int product = 0; product < 2; ++product)
      for (const Work& each : factors.product_work(Launches::per_matrix)) work.push_back(each);
    group.once(Stage::decode, work, [&] {
      for (const FactoredMatrix& m : factors.matrices()) find_factor(m, mean, p, q);
      approximate(factors, mean, p, q, average);
    });
    // On the same singular vectors, what learners keep has that mean.
    if (!contributions.wants_dense()) return;
    group.each(Stage::decode, factors.product_work(Launches::per_matrix), [&](LearnerId learner) {
      std::vector<float> own(average.size());
      source.read(learner, vector);
      approximate(factors, vector, p, q, own);
      contributions.kept(learner, own);
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// The r leading singular vectors of the side with fewer: those of M Mᵀ or Mᵀ M of largest eigenvalue.
  static void find_factor(const FactoredMatrix& m, std::span<const float> unit, std::span<float> p,
                          std::span<float> q) {
    if (m.rank == 0) return;
    const Side side = shorter(m);
    const SymmetricEigen eigen =
        symmetric_eigen(gram({unit.data() + m.offset, m.rows, m.columns}, side), m.extent(side));
    float* factor = (side == Side::p ? p : q).data() + m.factor(side);
    for (std::size_t c = 0; c < m.rank; ++c)
      for (double entry : eigen.vector(c)) *factor++ = static_cast<float>(entry);
  }

  static Side shorter(const FactoredMatrix& m) { return m.rows <= m.columns ? Side::p : Side::q; }

  /// Each matrix projected on its singular vectors; overwrites the other factor.
  static void approximate(const Factors& factors, std::span<const float> unit, std::span<float> p,
                          std::span<float> q, std::span<float> out) {
    for (const FactoredMatrix& m : factors.matrices()) {
      const MatrixView view{unit.data() + m.offset, m.rows, m.columns};
      auto own_p = p.subspan(m.p, m.rows * m.rank), own_q = q.subspan(m.q, m.columns * m.rank);
      if (shorter(m) == Side::p)
        project_back(view, own_p, own_q, m.rank);
      else
        project(view, own_q, own_p, m.rank);
    }
    factors.expand(p, q, out);
  }

  std::uint64_t rank_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "of the approximation, at most the matrix's own"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return std::make_unique<BestRank>(static_cast<std::uint64_t>(parameters.count("rank")));
}

}  // namespace

const Entry<MakeCompressor> kBestRankMethod{
    "best_rank", "baseline: everything is sent, and the best approximation of rank r of the mean is applied",
    "Eckart and Young 1936; Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Table 2", kParameters, make};

}  // namespace traincast
