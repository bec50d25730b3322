// SIDCo: a threshold from a distribution fitted to the magnitudes, in a few passes and without sorting.
#include "compressors/sparse/sidco.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/portable_math.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

constexpr double kFirstShare = 0.25;  // of the first of several stages, as in the authors' settings

struct Moments {
  double count = 0, mean = 0, variance = 0, mean_log = 0, least = 0;  // of |x| that exceed a threshold
};

Moments moments_beyond(std::span<const float> values, double threshold, bool with_log) {
  Moments all;
  double sum = 0, squares = 0, logs = 0;
  all.least = HUGE_VAL;
  for (float value : values) {
    double magnitude = std::fabs(static_cast<double>(value));
    if (!(magnitude > threshold)) continue;
    ++all.count;
    sum += magnitude;
    all.least = std::min(all.least, magnitude);
    if (with_log) logs += portable_log(magnitude);
  }
  if (all.count == 0) return all;
  all.mean = sum / all.count;
  for (float value : values) {
    double magnitude = std::fabs(static_cast<double>(value));
    if (magnitude > threshold) squares += (magnitude - all.mean) * (magnitude - all.mean);
  }
  if (all.count > 1) all.variance = squares / (all.count - 1);
  all.mean_log = logs / all.count;
  return all;
}

double exponential_quantile(double mean, double share) { return -mean * portable_log(share); }

double pareto_quantile(double mean, double variance, double share) {
  if (variance == 0) return mean;
  double ratio = mean * mean / variance, alpha = 0.5 * mean * (ratio + 1), k = 0.5 * (ratio - 1);
  // Towards k = 0 the distribution becomes exponential.
  if (std::fabs(k) < 1e-9) return exponential_quantile(alpha, share);
  return alpha / k * (1 - portable_exp(std::max(-600.0, k * portable_log(share))));
}

double gamma_quantile(double mean, double mean_log, double share) {
  double s = portable_log(mean) - mean_log;
  if (s <= 0) return mean;  // all magnitudes are equal
  double shape = (3 - s + std::sqrt((s - 3) * (s - 3) + 24 * s)) / (12 * s), scale = mean / shape;
  return std::max(0.0, -scale * (portable_log(share) + portable_log_gamma(shape)));
}

}  // namespace

double sidco_threshold(std::span<const float> values, double density, Sparsity fit, unsigned stages) {
  const bool several = stages > 1 && density < kFirstShare;
  const double first = several ? kFirstShare : density;
  // All values, zeros included, take part in the first fit, for they exceed −1; but for a gamma distribution,
  // which needs their logarithms: it is fitted to the others, of which a larger share is wanted then.
  const Moments all = moments_beyond(values, fit == Sparsity::gamma ? 0 : -1, fit == Sparsity::gamma);
  if (all.mean == 0) return 0;
  const double of_all = all.count / static_cast<double>(values.size()),
               of_these = std::min(1.0, first / of_all);
  double threshold = fit == Sparsity::exponential ? exponential_quantile(all.mean, of_these)
                     : fit == Sparsity::pareto    ? pareto_quantile(all.mean, all.variance, of_these)
                     : of_these < 1               ? gamma_quantile(all.mean, all.mean_log, of_these)
                                                  : 0;
  const double left = density / (of_these * of_all);
  if (!several || left >= 1) return threshold;
  const double share = portable_exp(portable_log(left) / (stages - 1));
  for (unsigned stage = 1; stage < stages; ++stage) {
    Moments beyond = moments_beyond(values, threshold, false);
    if (beyond.count == 0) break;
    double excess = beyond.mean - beyond.least;
    threshold =
        beyond.least + (fit == Sparsity::exponential ? exponential_quantile(excess, share)
                                                     : pareto_quantile(excess, beyond.variance, share));
  }
  return threshold;
}

namespace {

class Sidco final : public Selector {
 public:
  Sidco(double density, Sparsity fit, unsigned stages, bool adapts)
      : density_(density), fit_(fit), stages_(stages), adapts_(adapts) {}

  std::vector<Index> select(std::span<const float> values, const Call& call) override {
    if (learners_.size() <= call.learner) learners_.resize(call.learner + 1, Fitting{stages_, 0, 0});
    Fitting& fitting = learners_[call.learner];
    const double threshold = sidco_threshold(values, density_, fit_, static_cast<unsigned>(fitting.stages));
    std::vector<Index> chosen;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (std::fabs(static_cast<double>(values[i])) > threshold) chosen.push_back(static_cast<Index>(i));
    // A fit to a few entries may leave none, and would do so for ever.
    if (chosen.empty()) chosen = largest(values, std::min<std::uint64_t>(1, values.size()));
    if (adapts_ && !values.empty())
      adapt(fitting, static_cast<double>(chosen.size()) / (density_ * static_cast<double>(values.size())));
    return chosen;
  }

  std::uint64_t expected(std::uint64_t numel) const override { return share_of(density_, numel); }
  std::vector<Work> work(std::uint64_t numel) const override {
    return {{Primitive::reduction, {numel, 0, 0}},
            {Primitive::threshold_scan, {numel, share_of(density_, numel), 0}}};
  }

  void save(Writer& writer) const override { writer.put_all(std::span<const Fitting>(learners_)); }
  void load(Reader& reader) override { learners_ = reader.get_all<Fitting>(); }

 private:
  struct Fitting {
    std::uint64_t stages;
    std::uint64_t seen;  ///< steps since the last change
    double ratio_sum;    ///< of entries chosen / entries wanted, over these
  };

  /// As in the authors' code: every 5 steps, one stage less where more than 1.2 of what is wanted was chosen,
  /// one more below 0.8.
  void adapt(Fitting& fitting, double ratio) const {
    fitting.ratio_sum += ratio;
    if (++fitting.seen < 5) return;
    double mean = fitting.ratio_sum / 5;
    const auto most =
        static_cast<std::uint64_t>(std::max(1.0, std::ceil(portable_log(density_) / portable_log(0.5))));
    if (mean > 1.2 && fitting.stages > 1) --fitting.stages;
    if (mean < 0.8 && fitting.stages < most) ++fitting.stages;
    fitting.seen = 0;
    fitting.ratio_sum = 0;
  }

  double density_;
  Sparsity fit_;
  unsigned stages_;
  bool adapts_;
  std::vector<Fitting> learners_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that is aimed at"},
    {"fit", Unit::word, "exponential|gamma|pareto", "exponential", "distribution fitted to the magnitudes"},
    {"stages", Unit::count, "[1, 20]", "1", "fits, each to what exceeds the threshold of the one before"},
    {"adapt", Unit::flag, "", "true",
     "every 5 steps a stage more or less where what was chosen missed what is wanted by 20 %"},
    kIndexParameter,
    kValueParameter,
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  const std::string& fit = parameters.word("fit");
  auto selector =
      std::make_unique<Sidco>(parameters.number("density"),
                              fit == "exponential" ? Sparsity::exponential
                              : fit == "gamma"     ? Sparsity::gamma
                                                   : Sparsity::pareto,
                              static_cast<unsigned>(parameters.count("stages")), parameters.flag("adapt"));
  return make_gathered(make_sparse_codec(std::move(selector), sparse_format(parameters)), Coupling::tensor,
                       {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kSidcoMethod{
    "sidco", "sends what exceeds a threshold fitted to the magnitudes, with local error feedback; gathered",
    "Abdelmoniem et al. 2021 (SIDCo, arXiv 2101.10761), Algorithm 1", kParameters, make};

}  // namespace traincast
