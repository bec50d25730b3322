#include "workloads/capture/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace traincast {

namespace {

constexpr double kWord = 4;
constexpr std::uint64_t kSmall = 16, kChunk = 100;
constexpr std::uint64_t kSide = 1024, kRows = 4096, kRank = 4, kLevelled = std::uint64_t{1} << 20;
// As platforms/accelerators counts them.
constexpr double kElementwise = 3, kSelecting = 3, kScanning = 4, kLevelOperations = 5;

// Ranges of the parameters: a clock's noise must not leave them.
double positive(double accesses) { return std::clamp(accesses, 1e-3, 1e5); }

std::string quantity(double value, const char* unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g%s", value, unit);
  return text;
}

}  // namespace

Json calibrated_numbers(const PrimitiveSeconds& seconds, double synchronisation_s, std::uint64_t longest) {
  const std::uint64_t kept = longest / 100;
  const auto n = static_cast<double>(longest), k = static_cast<double>(kept);
  const auto rows = static_cast<double>(kRows), rank = static_cast<double>(kRank);
  const double small = seconds(Primitive::elementwise, {kSmall, 0, 0});
  const double large = seconds(Primitive::elementwise, {longest, 0, 0});
  const double memory =
      std::clamp(kElementwise * kWord * static_cast<double>(longest - kSmall) / std::max(large - small, 1e-9),
                 1e6, 1e15);
  const double launch =
      std::clamp(small - kElementwise * kWord * static_cast<double>(kSmall) / memory, 0.0, 1.0);
  /// Words that move in the time beyond `operations` launches.
  auto words = [&](double total, double operations) {
    return (total - operations * launch) * memory / kWord;
  };

  const double reduction = words(seconds(Primitive::reduction, {longest, 0, 0}), 1) / n;
  const double gather = words(seconds(Primitive::gather, {longest, kept, 0}), 1) / k;
  const double scatter = words(seconds(Primitive::scatter, {longest, kept, 0}), 1) / k;
  // Values are gathered at no more than a pass over the vector.
  auto gathered = [&](double count) { return std::min(positive(gather) * count, n + 2 * count); };
  const double topk = words(seconds(Primitive::topk, {longest, kept, 0}), kSelecting) - gathered(k);
  const double chunk_top1 = words(seconds(Primitive::chunk_top1, {longest, kChunk, 0}), kSelecting) -
                            gathered(std::ceil(n / static_cast<double>(kChunk)));
  const double scan = words(seconds(Primitive::threshold_scan, {longest, kept, 0}), kScanning) - gathered(k);
  const double bit_pack = words(seconds(Primitive::bit_pack, {longest, 1, 0}), 1) - n / 32;
  const double levels = std::log2(static_cast<double>(kLevelled));
  const double level = seconds(Primitive::hadamard, {kLevelled, 0, 0}) / levels;
  const double columns = seconds(Primitive::gram_schmidt, {kRows, kRank, 0}) -
                         kWord * rows * (5 * rank + 2 * (rank - 1) + 3.5 * rank * (rank - 1)) / memory;
  const double product = seconds(Primitive::gemm, {kSide, kSide, kSide}) - launch;
  const double flops =
      std::clamp(2 * std::pow(static_cast<double>(kSide), 3) / std::max(product, 1e-9), 1e6, 1e18);
  const double qr = seconds(Primitive::qr, {kRows, kRank, 0}) -
                    std::max(kWord * 2 * rows * rank / memory, 4 * rows * rank * rank / flops);

  Json numbers;
  numbers["tflops"] = flops / 1e12;
  numbers["efficiency"] = 1;
  numbers["memory"] = quantity(memory / 1e9, "GBps");
  numbers["memory_efficiency"] = 1;
  numbers["launch"] = quantity(launch * 1e6, "us");
  numbers["synchronisation"] = quantity(std::clamp(synchronisation_s, 0.0, 1.0) * 1e6, "us");
  numbers["elementwise"] = kElementwise;
  numbers["reduction"] = positive(reduction);
  numbers["topk"] = positive(topk / n);
  numbers["chunk_top1"] = positive(chunk_top1 / n);
  numbers["threshold_scan"] = positive(scan / n);
  numbers["gather"] = positive(gather);
  numbers["scatter"] = positive(scatter);
  numbers["bit_pack"] = positive(bit_pack / n);
  numbers["hadamard"] = positive(words(level, kLevelOperations) / static_cast<double>(kLevelled));
  numbers["level_operations"] = static_cast<std::int64_t>(kLevelOperations);
  numbers["column_operations"] =
      launch > 0 ? std::clamp<std::int64_t>(std::llround(columns / (launch * (rank - 0.5))), 0, 1000) : 9;
  numbers["qr"] = quantity(std::clamp(qr, 0.0, 10.0) * 1e6, "us");
  return numbers;
}

}  // namespace traincast
