#include "base/exchange.hpp"

#include <numeric>

namespace traincast {

std::string_view to_string(Word word) {
  switch (word) {
    case Word::all_reduce: return "all_reduce";
    case Word::all_gather: return "all_gather";
    case Word::broadcast: return "broadcast";
    case Word::reduce_scatter: return "reduce_scatter";
    case Word::all_to_all: return "all_to_all";
  }
  return "";
}

std::string_view to_string(Primitive primitive) {
  switch (primitive) {
    case Primitive::elementwise: return "elementwise";
    case Primitive::reduction: return "reduction";
    case Primitive::topk: return "topk";
    case Primitive::chunk_top1: return "chunk_top1";
    case Primitive::gather: return "gather";
    case Primitive::scatter: return "scatter";
    case Primitive::gemm: return "gemm";
    case Primitive::gram_schmidt: return "gram_schmidt";
  }
  return "";
}

std::string_view to_string(Stage stage) { return stage == Stage::encode ? "encode" : "decode"; }

Bytes Op::contributed(std::uint32_t learners) const {
  if (word == Word::all_reduce || word == Word::reduce_scatter) return learners * count * size_of(element);
  return std::accumulate(bytes.begin(), bytes.end(), Bytes{0});
}

double Work::weight() const {
  auto [a, b, c] = sizes;
  double each = 0;
  switch (primitive) {
    case Primitive::elementwise:
    case Primitive::reduction:
    case Primitive::topk:
    case Primitive::chunk_top1: each = static_cast<double>(a); break;
    case Primitive::gather:
    case Primitive::scatter: each = static_cast<double>(b); break;
    case Primitive::gemm:
      each = static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
      break;
    case Primitive::gram_schmidt:
      each = static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(b);
      break;
  }
  return each * count;
}

}  // namespace traincast
