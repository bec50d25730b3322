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

std::vector<Check> check_points(const std::vector<PointReport>& points) {
  Check identity{"step_seconds is the sum of its parts (largest relative difference)", true, 0, 1e-9};
  Check conserved{"bytes sent are bytes received (largest difference)", true, 0, 0};
  Check bound{"communication takes at least what the busiest link needs (smallest ratio)", true, INFINITY,
              1 - 1e-9};
  for (const PointReport& p : points) {
    double parts = p.compute_seconds.mean + p.exposed_encode_seconds.mean +
                   p.exposed_communication_seconds.mean + p.exposed_decode_seconds.mean +
                   p.wait_seconds.mean + p.slowdown_seconds.mean;
    double scale = std::max(p.step_seconds.mean, 1e-300);
    identity.value = std::max(identity.value, std::fabs(parts - p.step_seconds.mean) / scale);
    conserved.value = std::max(conserved.value, std::fabs(p.bytes_sent_total - p.bytes_received_total));
    if (p.busiest_link_seconds > 0)
      bound.value = std::min(bound.value, p.communication_seconds.mean / p.busiest_link_seconds);
  }
  if (std::isinf(bound.value)) bound.value = 1;  // nothing was sent
  identity.passed = identity.value <= identity.bound;
  conserved.passed = conserved.value <= conserved.bound;
  bound.passed = bound.value >= bound.bound;
  return {identity, conserved, bound};
}

}  // namespace traincast
