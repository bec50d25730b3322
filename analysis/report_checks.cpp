// What must be true of every report, whoever computed it.
#include <algorithm>
#include <cmath>

#include "analysis/report.hpp"

namespace traincast {

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0, squares = 0, count = static_cast<double>(values.size());
  for (double value : values) sum += value;
  double mean = sum / count;
  for (double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / count)};
}

namespace {

// The smallest of some ratios, which must not fall below 1; 1 where there are none.
struct Smallest {
  double value = INFINITY;
  void take(double numerator, double denominator) {
    if (denominator > 0) value = std::min(value, numerator / denominator);
  }
  Check check(const std::string& name, double slack) const {
    Check check{name, true, std::isinf(value) ? 1 : value, 1 - slack};
    check.passed = check.value >= check.bound;
    return check;
  }
};

constexpr double kRounding = 1e-9;

// One a tier, in order of first appearance.
std::vector<Check> check_tiers(const std::vector<PointReport>& points) {
  std::vector<Check> checks;
  for (const PointReport& p : points)
    for (const TierUse& use : p.tier_use) {
      std::string name = "no link of tier '" + use.tier + "' carries more than its bandwidth (largest share)";
      auto known = std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.name == name; });
      if (known == checks.end()) known = checks.insert(known, {name, true, 0, 1 + kRounding});
      known->value = std::max(known->value, use.share);
      known->passed = known->value <= known->bound;
    }
  return checks;
}

}  // namespace

std::vector<Check> check_points(const std::vector<PointReport>& points) {
  Check identity{"step_seconds is the sum of its parts (largest relative difference)", true, 0, kRounding};
  Check conserved{"bytes sent are bytes received (largest difference)", true, 0, 0};
  Smallest on_links, least, bound;
  for (const PointReport& p : points) {
    double parts = p.compute_seconds.mean + p.exposed_encode_seconds.mean +
                   p.exposed_communication_seconds.mean + p.exposed_decode_seconds.mean +
                   p.wait_seconds.mean + p.slowdown_seconds.mean;
    double scale = std::max(p.step_seconds.mean, 1e-300);
    identity.value = std::max(identity.value, std::fabs(parts - p.step_seconds.mean) / scale);
    conserved.value = std::max(conserved.value, std::fabs(p.bytes_sent_total - p.bytes_received_total));
    on_links.take(p.bytes_on_links_total, p.bytes_sent_total);
    least.take(p.bytes_sent_total, p.least_bytes_total);
    bound.take(p.communication_seconds.mean, p.busiest_link_seconds);
  }
  identity.passed = identity.value <= identity.bound;
  conserved.passed = conserved.value <= conserved.bound;
  std::vector<Check> checks{
      identity, conserved, on_links.check("bytes sent cross a link at least (smallest ratio)", 0),
      least.check("bytes sent are at least what the collectives need (smallest ratio)", 0),
      bound.check("communication takes at least what the busiest link needs (smallest ratio)", kRounding)};
  for (Check& check : check_tiers(points)) checks.push_back(std::move(check));
  return checks;
}

}  // namespace traincast
