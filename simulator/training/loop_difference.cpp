#include "simulator/training/loop_difference.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace traincast {

namespace {

double quotient(double a, double b) { return b > 0 ? a / b : NAN; }

double contributed(const StepRecord& step, std::uint32_t learners) {
  double bytes = 0;
  for (const BucketExchange& bucket : step.buckets)
    for (const Phase& phase : bucket.phases)
      if (phase.op) bytes += static_cast<double>(phase.op->contributed(learners));
  return bytes;
}

std::vector<double> means(std::span<const ExchangeRecord> runs,
                          const std::function<double(const ExchangeRecord&, const StepRecord&)>& number) {
  std::size_t steps = runs.empty() ? 0 : runs.front().steps.size();
  for (const ExchangeRecord& run : runs) steps = std::min(steps, run.steps.size());
  std::vector<double> all;
  for (std::size_t s = 0; s < steps; ++s) {
    double sum = 0, defined = 0;
    for (const ExchangeRecord& run : runs)
      if (double value = number(run, run.steps[s]); std::isfinite(value)) {
        sum += value;
        ++defined;
      }
    all.push_back(quotient(sum, defined));
  }
  return all;
}

}  // namespace

LoopSeries loop_series(std::span<const ExchangeRecord> runs) {
  return {means(runs,
                [](const ExchangeRecord&, const StepRecord& step) {
                  return step.union_by_hop.empty() ? NAN
                                                   : quotient(step.union_by_hop.back(), step.mean_support);
                }),
          means(runs,
                [](const ExchangeRecord& run, const StepRecord& step) {
                  return quotient(4.0 * static_cast<double>(run.parameters) * run.learners,
                                  contributed(step, run.learners));
                }),
          means(runs, [](const ExchangeRecord&, const StepRecord& step) {
            return quotient(step.residual_square, step.mean_input_square);
          })};
}

double mean_of_steps(std::span<const double> values, std::size_t first, std::size_t last) {
  double sum = 0;
  for (double value : values.subspan(first, last - first)) sum += value;
  return sum / static_cast<double>(last - first);
}

std::size_t good_for(std::span<const double> open, std::span<const double> closed, std::size_t window,
                     double share) {
  const std::size_t steps = std::min(open.size(), closed.size());
  std::size_t good = 0;
  for (std::size_t end = window; end <= steps; ++end) {
    double a = mean_of_steps(open, end - window, end), b = mean_of_steps(closed, end - window, end);
    if (!(std::abs(a - b) <= share * std::abs(b))) break;
    good = end;
  }
  return good;
}

}  // namespace traincast
