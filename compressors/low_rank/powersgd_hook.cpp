// PowerSGD as PyTorch's communication hooks for DDP do it: bucket by bucket, one collective after the other.
// torch/distributed/algorithms/ddp_comm_hooks/powerSGD_hook.py: powerSGD_hook, and batched_powerSGD_hook, for
// which a bucket is one square matrix.
#include <algorithm>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/factors.hpp"
#include "compressors/low_rank/whole.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

struct HookRules {
  std::uint64_t rank;
  bool warm_start;
  std::uint64_t start;    ///< steps before it travel whole
  double least_rate = 0;  ///< matrices that it would shrink less than this stay whole
  bool square = false;    ///< the bucket as one matrix
  Launches launches = Launches::per_matrix;
  float epsilon;  ///< added to norms in Gram–Schmidt
};

/// torch.linalg.qr above rank 2, the hook's own Gram–Schmidt below.
bool by_qr(std::size_t rank) { return rank > 2; }
Primitive orthogonalisation(std::size_t rank) {
  return by_qr(rank) ? Primitive::qr : Primitive::gram_schmidt;
}

class PowerSgdHook final : public Compressor {
 public:
  PowerSgdHook(const HookRules& rules, std::uint64_t seed) : rules_(rules), seed_(seed) {}

  /// What a bucket does is the sum of what its tensors do, unless equal shapes are joined.
  Coupling coupling() const override {
    return rules_.square || rules_.launches == Launches::per_shape ? Coupling::bucket : Coupling::tensor;
  }
  bool sizes_follow_from_shape() const override { return rules_.start == 0; }
  bool sizes_depend_on_values() const override { return false; }
  bool linear() const override { return true; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::global, 1}; }
  std::uint32_t regime(const Step& step) const override { return step.index < rules_.start ? 0 : 1; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (step.index < rules_.start) return send_whole(group, 0, true, source, contributions, average);
    const Factors factors = rules_.square ? Factors::square(unit, rules_.rank)
                                          : Factors::of(unit, rules_.rank, rules_.least_rate);
    const std::size_t numel = unit.numel();
    const bool any = factors.size(Side::p) + factors.size(Side::q) > 0;
    std::vector<float> vector(factors.padded()), p(factors.size(Side::p)), rest(factors.rest());
    auto read = [&](LearnerId learner) { source.read(learner, std::span(vector).first(numel)); };

    // The products are formed before anything is sent.
    group.phase(0);
    std::vector<std::vector<float>> products(any ? group.size() : 0, p);
    if (any) {
      prepare_q(factors, unit, step.index);
      group.once(Stage::encode, factors.orthogonalise_work(Side::q, rules_.launches, orthogonalisation),
                 [&] { orthogonalise(factors, Side::q, q_); });
      group.each(Stage::encode, factors.product_work(rules_.launches), [&](LearnerId learner) {
        read(learner);
        factors.project(Side::p, vector, q_, products[learner]);
      });
    }
    if (factors.rest() > 0 || !any) {
      group.all_reduce(Element::fp32, rest, {}, [&](LearnerId learner, std::span<float> addend) {
        read(learner);
        factors.take_rest(vector, addend);
        if (!any && contributions.wants_dense()) contributions.kept(learner, vector);
      });
      take_mean(rest, group.size());
    }
    if (any) send_factors(factors, numel, products, read, p, vector, group, contributions);

    group.phase(3);
    group.once(Stage::decode, factors.product_work(rules_.launches), [&] {
      factors.expand(p, q_, vector);
      factors.put_rest(rest, vector);
      std::copy_n(vector.begin(), numel, average.begin());
    });
  }

  void save(Writer& writer) const override { writer.put_all(std::span<const float>(q_)); }
  void load(Reader& reader) override { q_ = reader.get_all<float>(); }

 private:
  template <class Read>
  void send_factors(const Factors& factors, std::size_t numel,
                    const std::vector<std::vector<float>>& products, const Read& read, std::span<float> p,
                    std::vector<float>& vector, Group& group, Contributions& contributions) {
    group.phase(1);
    group.all_reduce(Element::fp32, p, {}, [&](LearnerId learner, std::span<float> addend) {
      std::copy(products[learner].begin(), products[learner].end(), addend.begin());
    });

    group.phase(2);
    group.once(Stage::encode, factors.orthogonalise_work(Side::p, rules_.launches, orthogonalisation),
               [&] { orthogonalise(factors, Side::p, p); });
    const bool report = contributions.wants_dense();
    std::vector<float> own(report ? vector.size() : 0);
    std::vector<Work> work = factors.product_work(rules_.launches);
    if (report)
      for (const Work& expansion : factors.product_work(rules_.launches)) work.push_back(expansion);
    group.all_reduce(Element::fp32, q_, work, [&](LearnerId learner, std::span<float> addend) {
      read(learner);
      factors.project(Side::q, vector, p, addend);
      if (!report) return;
      own = vector;  // what travels whole
      factors.expand(p, addend, own);
      contributions.kept(learner, std::span(own).first(numel));
    });
    take_mean(q_, group.size());
  }

  void orthogonalise(const Factors& factors, Side side, std::span<float> values) const {
    factors.orthogonalise(side, values, [&](std::span<float> columns, std::size_t rows, std::size_t rank) {
      if (by_qr(rank))
        orthogonalise_by_reflections(columns, rows, rank);
      else
        traincast::orthogonalise(columns, rows, rank, rules_.epsilon);
    });
  }

  void prepare_q(const Factors& factors, const Bucket& unit, std::uint64_t step) {
    if (rules_.warm_start && !q_.empty()) return expect_factor(q_, factors.size(Side::q), unit);
    q_.resize(factors.size(Side::q));
    factors.draw(Side::q, seed_, rules_.warm_start ? 0 : step, q_);
  }

  HookRules rules_;
  std::uint64_t seed_;
  std::vector<float> q_;
};

constexpr Parameter kRank{"matrix_approximation_rank", Unit::count, "[1, inf)", "1",
                          "columns of the two factors, at most the matrix's own"};
constexpr Parameter kStart{
    "start_powersgd_iter", Unit::count, "[0, inf)", "0",
    "steps of training before it, which travel whole; the hook itself begins with 1000 (once 10)"};
constexpr Parameter kWarmStart{"warm_start", Unit::flag, "", "true",
                               "start from the factor of the step before"};
constexpr Parameter kEpsilon{
    "orthogonalization_epsilon", Unit::ratio, "[0, 1]", "0",
    "added to norms in Gram–Schmidt, which is for ranks 1 and 2; 1e-8 before version 1.10"};

constexpr Parameter kParameters[] = {
    kRank,
    kStart,
    {"min_compression_rate", Unit::ratio, "(0, 1000000]", "2",
     "a tensor that its factors would shrink less than this travels whole"},
    kWarmStart,
    {"batch_tensors_with_same_shape", Unit::flag, "", "false",
     "launch products and orthogonalisations once for all matrices of a shape"},
    kEpsilon,
};

HookRules shared_rules(const Parameters& parameters) {
  return {.rank = static_cast<std::uint64_t>(parameters.count(kRank.key)),
          .warm_start = parameters.flag(kWarmStart.key),
          .start = static_cast<std::uint64_t>(parameters.count(kStart.key)),
          .epsilon = static_cast<float>(parameters.number(kEpsilon.key))};
}

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  HookRules rules = shared_rules(parameters);
  rules.least_rate = parameters.number("min_compression_rate");
  if (parameters.flag("batch_tensors_with_same_shape")) rules.launches = Launches::per_shape;
  return std::make_unique<PowerSgdHook>(rules, seed);
}

constexpr Parameter kBatchedParameters[] = {kRank, kStart, kWarmStart, kEpsilon};

std::unique_ptr<Compressor> make_batched(const Parameters& parameters, std::uint64_t seed) {
  HookRules rules = shared_rules(parameters);
  rules.square = true;
  return std::make_unique<PowerSgdHook>(rules, seed);
}

}  // namespace

const Entry<MakeCompressor> kPowerSgdHookMethod{
    "powersgd_hook",
    "PowerSGD in DDP: per bucket what is not compressed, then P, then Q, each awaited; QR above rank 2",
    "PyTorch, powerSGD_hook, after Vogels et al. 2019 (arXiv 1905.13727)", kParameters, make};

const Entry<MakeCompressor> kPowerSgdBatchedMethod{
    "powersgd_batched", "PowerSGD in DDP with each whole bucket as one square matrix",
    "PyTorch, batched_powerSGD_hook, after Vogels et al. 2019 (arXiv 1905.13727)", kBatchedParameters,
    make_batched};

}  // namespace traincast
