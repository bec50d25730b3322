#include "platforms/accelerators/accelerator.hpp"

#include <algorithm>
#include <cmath>

namespace traincast {

namespace {

constexpr double kWord = 4;  // bytes of an fp32 element

// Operations of a framework that runs each as a kernel of its own: topk is |x|, selection, gathering the
// values; threshold_scan |x|, comparison, places, values.
constexpr double kSelecting = 3, kScanning = 4;

double ceil_log2(double n) { return std::ceil(std::log2(n)); }

// Of k places in a vector of n: each costs so much where they lie apart, and all together no more than
// `passes` over the vector with places and values in order.
double scattered(double accesses, double n, double k, double passes) {
  return std::min(accesses * k, passes * n + 2 * k);
}

}  // namespace

double Accelerator::seconds(const Work& work) const {
  auto [a, b, c] = work.sizes;
  auto n = static_cast<double>(a), k = static_cast<double>(b), r = static_cast<double>(c);
  double operations = 1, words = 0, flops = 0, more = 0;
  switch (work.primitive) {
    case Primitive::elementwise: words = accesses.elementwise * n; break;
    case Primitive::reduction: words = accesses.reduction * n; break;
    case Primitive::topk:
      operations = kSelecting;
      words = accesses.topk * n + scattered(accesses.gather, n, k, 1);
      break;
    case Primitive::chunk_top1:
      operations = kSelecting;
      words = accesses.chunk_top1 * n + (k > 0 ? scattered(accesses.gather, n, std::ceil(n / k), 1) : 0);
      break;
    case Primitive::threshold_scan:
      operations = kScanning;
      words = accesses.threshold_scan * n + scattered(accesses.gather, n, k, 1);
      break;
    case Primitive::gather: words = scattered(accesses.gather, n, k, 1); break;
    case Primitive::scatter: words = scattered(accesses.scatter, n, k, 2); break;
    case Primitive::bit_pack: words = accesses.bit_pack * n + k * n / 32; break;
    case Primitive::hadamard: {
      double levels = n > 1 ? ceil_log2(n) : 1;
      operations = level_operations * levels;
      words = accesses.hadamard * n * levels;
      break;
    }
    case Primitive::gemm:  // every matrix once
      words = n * k + k * r + n * r;
      flops = 2 * n * k * r;
      break;
    case Primitive::gram_schmidt:
      // Column by column: square, sum, root, a small number added, division; product with those that are
      // left, its sums, their product with the column and the difference: four that the last has not.
      operations = k > 0 ? column_operations * k - std::floor(column_operations / 2.0) : 0;
      words = n * (5 * k + 2 * (k - 1) + 3.5 * k * (k - 1));
      break;
    case Primitive::qr:
      operations = 0;
      more = qr_s;
      words = 2 * n * k;
      flops = 4 * n * k * k;
      break;
    case Primitive::svd: {
      // R-SVD (Golub, Van Loan, Matrix Computations, section 8.6): QR of the tall matrix, then the square
      // factor is made bidiagonal, for each column by two products with what is left of it.
      double tall = std::max(n, k), thin = std::min(n, k);
      operations = 2 * thin;
      more = qr_s;
      words = 2 * tall * thin + 2 * thin * thin * thin / 3;
      flops = 6 * tall * thin * thin + 20 * thin * thin * thin;
      break;
    }
  }
  if (a == 0) return 0;
  double moving = kWord * words / bytes_per_s, computing = flops / flops_per_s;
  return work.count * (operations * launch_s + more + std::max(moving, computing));
}

double Accelerator::seconds(const LayerPass& pass) const {
  if (pass.flops <= 0 && pass.bytes <= 0) return 0;
  return pass.operations * launch_s + std::max(pass.flops / flops_per_s, pass.bytes / bytes_per_s);
}

}  // namespace traincast
