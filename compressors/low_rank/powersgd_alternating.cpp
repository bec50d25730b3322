// PowerSGD in half-steps: P and Q are sent by turns, each against the other as it was last sent. The newer
// package of PowerSGD's authors (epfml/powersgd, version 2), and ACP-SGD (arXiv 2306.08881).
#include <algorithm>
#include <cmath>
#include <map>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/factors.hpp"
#include "compressors/low_rank/whole.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

struct AlternatingRules {
  std::uint64_t rank;
  std::uint64_t start = 0;       ///< steps before it travel whole
  std::uint64_t half_steps = 1;  ///< of one step, each on what the one before left
  double least_rate = 0;         ///< matrices that it would shrink less than this travel whole
  bool joins_whole = false;      ///< what travels whole shares the factor's collective, or follows in its own
  bool qr_of_one = false;        ///< QR at rank 1 too, not only above
  bool joint_norm = false;       ///< at rank 1, one norm for all matrices of a shape
};

class Alternating final : public Compressor {
 public:
  Alternating(const AlternatingRules& rules, std::uint64_t seed) : rules_(rules), seed_(seed) {}

  Coupling coupling() const override { return rules_.joint_norm ? Coupling::bucket : Coupling::tensor; }
  bool linear() const override { return true; }
  bool sizes_depend_on_values() const override { return false; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, 1}; }
  std::uint32_t regime(const Step& step) const override { return step.index < rules_.start ? 0 : 1; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (step.index < rules_.start) return send_whole(group, 0, true, source, contributions, average);
    const Factors factors = Factors::of(unit, rules_.rank, rules_.least_rate);
    const auto half_steps = static_cast<unsigned>(rules_.half_steps);
    const unsigned whole_phase = rules_.joins_whole ? 0 : half_steps;
    if (factors.matrices().empty())
      return send_whole(group, whole_phase, true, source, contributions, average);
    std::fill(average.begin(), average.end(), 0.0f);
    if (factors.rest() > 0) send_rest(factors, whole_phase, source, group, average);

    Sent sent(half_steps > 1 ? group.size() : 0, std::vector<float>(average.size()));
    for (unsigned half = 0; half < half_steps; ++half) {
      const Side in = ((step.index - rules_.start) * half_steps + half) % 2 == 0 ? Side::p : Side::q;
      half_step(factors, in, unit, half, source, group, contributions, sent, average);
    }
  }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(p_));
    writer.put_all(std::span<const float>(q_));
  }
  void load(Reader& reader) override {
    p_ = reader.get_all<float>();
    q_ = reader.get_all<float>();
  }

 private:
  std::vector<float>& factor(Side side) { return side == Side::p ? p_ : q_; }

  /// By learner, what it sent in earlier half-steps, as products of factors; nothing where there is but one.
  using Sent = std::vector<std::vector<float>>;

  void half_step(const Factors& factors, Side in, const Bucket& unit, unsigned half,
                 const GradientSource& source, Group& group, Contributions& contributions, Sent& sent,
                 std::span<float> average) {
    const Side out = other(in);
    const std::vector<Work> product = factors.product_work(Launches::per_matrix);
    prepare(in, factors, unit);
    factor(out).resize(factors.size(out));
    std::vector<float> vector(average.size()), own(average.size());
    const bool report = contributions.wants_dense() && half + 1 == rules_.half_steps;

    group.phase(half);
    group.once(Stage::encode,
               factors.orthogonalise_work(in, Launches::per_matrix,
                                          rules_.qr_of_one ? always_qr : qr_above_rank_one),
               [&] { orthogonalise(factors, in); });
    std::vector<Work> work = product;
    if (report || !sent.empty()) work.insert(work.end(), product.begin(), product.end());
    group.all_reduce(Element::fp32, factor(out), work, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, vector);
      if (!sent.empty())
        for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= sent[learner][i];
      factors.project(out, vector, factor(in), addend);
      if (!report && sent.empty()) return;
      own = vector;  // what travels whole; of matrices, what follows
      expand(factors, in, addend, own);
      if (!sent.empty())
        for (std::size_t i = 0; i < own.size(); ++i) sent[learner][i] += own[i];
      if (report) contributions.kept(learner, sent.empty() ? own : sent[learner]);
    });
    take_mean(factor(out), group.size());

    group.phase(static_cast<unsigned>(rules_.half_steps) + 1);
    group.once(Stage::decode, product, [&] {
      std::fill(own.begin(), own.end(), 0.0f);
      expand(factors, in, factor(out), own);
      for (std::size_t i = 0; i < own.size(); ++i) average[i] += own[i];
    });
  }

  /// The product of the factor that all have with the one that comes out.
  void expand(const Factors& factors, Side in, std::span<const float> out, std::span<float> unit) {
    if (in == Side::p)
      factors.expand(p_, out, unit);
    else
      factors.expand(out, q_, unit);
  }

  static void send_rest(const Factors& factors, unsigned phase, const GradientSource& source, Group& group,
                        std::span<float> average) {
    std::vector<float> vector(average.size()), rest(factors.rest());
    group.phase(phase);
    group.all_reduce(Element::fp32, rest, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, vector);
      factors.take_rest(vector, addend);
    });
    take_mean(rest, group.size());
    factors.put_rest(rest, average);
  }

  static Primitive always_qr(std::size_t) { return Primitive::qr; }
  static Primitive qr_above_rank_one(std::size_t rank) {
    return rank > 1 ? Primitive::qr : Primitive::gram_schmidt;
  }

  void orthogonalise(const Factors& factors, Side side) {
    std::span<float> values = factor(side);
    if (rules_.joint_norm) return orthogonalise_jointly(factors, side, values);
    factors.orthogonalise(side, values, [&](std::span<float> columns, std::size_t rows, std::size_t rank) {
      if (rules_.qr_of_one || rank > 1)
        orthogonalise_by_reflections(columns, rows, rank);
      else
        traincast::orthogonalise(columns, rows, rank);
    });
  }

  /// The package takes the norm of a whole batch at rank 1.
  static void orthogonalise_jointly(const Factors& factors, Side side, std::span<float> values) {
    std::map<std::pair<std::size_t, std::size_t>, double> squares;
    auto columns_of = [&](const FactoredMatrix& m) {
      return values.subspan(m.factor(side), m.extent(side) * m.rank);
    };
    for (const FactoredMatrix& m : factors.matrices())
      for (float value : columns_of(m))
        squares[{m.rows, m.columns}] += static_cast<double>(value) * static_cast<double>(value);
    for (const FactoredMatrix& m : factors.matrices()) {
      if (m.rank > 1) {
        orthogonalise_by_reflections(columns_of(m), m.extent(side), m.rank);
        continue;
      }
      auto norm = static_cast<float>(std::sqrt(squares[{m.rows, m.columns}]) + 1e-8);
      for (float& value : columns_of(m)) value /= norm;
    }
  }

  void prepare(Side side, const Factors& factors, const Bucket& unit) {
    std::vector<float>& values = factor(side);
    if (!values.empty()) return expect_factor(values, factors.size(side), unit);
    values.resize(factors.size(side));
    factors.draw(side, seed_, 0, values);
  }

  AlternatingRules rules_;
  std::uint64_t seed_;
  std::vector<float> p_, q_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"num_iters_per_step", Unit::count, "[1, 64]", "1", "half-steps of a training step"},
    {"min_compression_rate", Unit::ratio, "(0, 1000000]", "2",
     "a tensor that its factors would shrink less than this travels whole"},
    {"start_compressing_after_num_steps", Unit::count, "[0, inf)", "0",
     "steps of training before it, which travel whole; the package itself begins with 100"},
    {"joint_norm", Unit::flag, "", "false",
     "at rank 1, divide the factors of equal shapes by one norm, as the package does: they come out too "
     "small"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  AlternatingRules rules{.rank = static_cast<std::uint64_t>(parameters.count("rank"))};
  rules.start = static_cast<std::uint64_t>(parameters.count("start_compressing_after_num_steps"));
  rules.half_steps = static_cast<std::uint64_t>(parameters.count("num_iters_per_step"));
  rules.least_rate = parameters.number("min_compression_rate");
  rules.joint_norm = parameters.flag("joint_norm");
  return std::make_unique<Alternating>(rules, seed);
}

constexpr Parameter kAcpParameters[] = {
    {"rank", Unit::count, "[1, inf)", "4", "columns of the two factors, at most the matrix's own"},
};

// Its Algorithm 1; a bucket's factors and vectors are one buffer.
std::unique_ptr<Compressor> make_acp(const Parameters& parameters, std::uint64_t seed) {
  AlternatingRules rules{.rank = static_cast<std::uint64_t>(parameters.count("rank"))};
  rules.joins_whole = true;
  rules.qr_of_one = true;
  return std::make_unique<Alternating>(rules, seed);
}

}  // namespace

const Entry<MakeCompressor> kPowerSgdAlternatingMethod{
    "powersgd_alternating", "PowerSGD in half-steps, P and Q by turns, with the local error; half the bytes",
    "epfml/powersgd (version 2), after Vogels et al. 2019 (arXiv 1905.13727)", kParameters, make};

const Entry<MakeCompressor> kAcpSgdMethod{
    "acpsgd", "P and Q by turns, one all-reduce a bucket with its vectors, made to overlap with backward",
    "Zhang et al. 2023 (ACP-SGD, arXiv 2306.08881)", kAcpParameters, make_acp};

}  // namespace traincast
