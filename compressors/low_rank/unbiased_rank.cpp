// Unbiased rank r: a matrix times a random one, (M U) Uᵀ with E[U Uᵀ] = I. U follows from a shared seed, so
// that only M U travels; by turns it stands left and right. Vogels et al. 2019 (arXiv 1905.13727), Table 1;
// HalfRankKReducer of the authors' code.
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/factors.hpp"
#include "compressors/low_rank/whole.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

class UnbiasedRank final : public Compressor {
 public:
  UnbiasedRank(std::uint64_t rank, std::uint64_t seed) : rank_(rank), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return {}; }
  bool unbiased() const override { return true; }
  bool linear() const override { return true; }
  bool sizes_depend_on_values() const override { return false; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const Factors factors = Factors::of(unit, rank_);
    if (factors.matrices().empty()) return send_whole(group, 1, false, source, contributions, average);
    const Side in = step.index % 2 == 0 ? Side::q : Side::p, out = other(in);
    const std::vector<Work> product = factors.product_work(Launches::per_matrix);
    std::vector<float> random(factors.size(in)), sum(factors.size(out));
    std::vector<float> vector(average.size()), own(average.size());
    auto expand = [&](std::span<const float> sent, std::span<float> whole) {
      if (in == Side::p)
        factors.expand(random, sent, whole);
      else
        factors.expand(sent, random, whole);
    };

    group.phase(0);
    group.once(Stage::encode, {{Primitive::elementwise, {random.size(), 0, 0}}},
               [&] { draw(factors, in, step.index, random); });
    group.all_reduce(Element::fp32, sum, product, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, vector);
      factors.project(out, vector, random, addend);
      if (!contributions.wants_dense()) return;
      expand(addend, own);
      contributions.kept(learner, own);
    });
    take_mean(sum, group.size());
    group.phase(2);
    group.once(Stage::decode, product, [&] { expand(sum, average); });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// r columns from N(0, 1/r).
  void draw(const Factors& factors, Side side, std::uint64_t step, std::span<float> values) const {
    factors.draw(side, seed_, step, values);
    for (const FactoredMatrix& m : factors.matrices()) {
      const float deviation = std::sqrt(1 / static_cast<float>(m.rank));
      for (float& value : values.subspan(m.factor(side), m.extent(side) * m.rank)) value *= deviation;
    }
  }

  std::uint64_t rank_, seed_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the random matrix, at most the matrix's own"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return std::make_unique<UnbiasedRank>(static_cast<std::uint64_t>(parameters.count("rank")), seed);
}

}  // namespace

const Entry<MakeCompressor> kUnbiasedRankMethod{
    "unbiased_rank", "each matrix times a random one that all share, unbiased; summed in flight",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Table 1, HalfRankKReducer of the authors' code",
    kParameters, make};

}  // namespace traincast
