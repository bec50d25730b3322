#include "base/exchange.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace traincast {

std::string_view to_string(Word word) {
  switch (word) {
    case Word::all_reduce: return "all_reduce";
    case Word::all_gather: return "all_gather";
    case Word::broadcast: return "broadcast";
    case Word::reduce_scatter: return "reduce_scatter";
    case Word::all_to_all: return "all_to_all";
    case Word::sparse_all_reduce: return "sparse_all_reduce";
    case Word::push_pull: return "push_pull";
    case Word::neighbours: return "neighbours";
    case Word::rounds: return "rounds";
  }
  return "";
}

std::string_view to_string(Primitive primitive) {
  switch (primitive) {
    case Primitive::elementwise: return "elementwise";
    case Primitive::reduction: return "reduction";
    case Primitive::topk: return "topk";
    case Primitive::chunk_top1: return "chunk_top1";
    case Primitive::threshold_scan: return "threshold_scan";
    case Primitive::gather: return "gather";
    case Primitive::scatter: return "scatter";
    case Primitive::bit_pack: return "bit_pack";
    case Primitive::hadamard: return "hadamard";
    case Primitive::gemm: return "gemm";
    case Primitive::gram_schmidt: return "gram_schmidt";
    case Primitive::qr: return "qr";
    case Primitive::svd: return "svd";
  }
  return "";
}

std::string_view to_string(Among among) {
  switch (among) {
    case Among::all: return "all";
    case Among::within: return "within";
    case Among::across: return "across";
  }
  return "";
}

std::uint32_t Subgroups::size(std::uint32_t learners) const {
  switch (among) {
    case Among::all: return learners;
    case Among::within: return node_size;
    case Among::across: return learners / node_size;
  }
  return learners;
}

std::uint32_t Subgroups::group_of(LearnerId learner) const {
  switch (among) {
    case Among::all: return 0;
    case Among::within: return learner / node_size;
    case Among::across: return learner % node_size;
  }
  return 0;
}

std::uint32_t Subgroups::rank_of(LearnerId learner) const {
  switch (among) {
    case Among::all: return learner;
    case Among::within: return learner % node_size;
    case Among::across: return learner / node_size;
  }
  return learner;
}

LearnerId Subgroups::learner(std::uint32_t group, std::uint32_t rank) const {
  switch (among) {
    case Among::all: return rank;
    case Among::within: return group * node_size + rank;
    case Among::across: return rank * node_size + group;
  }
  return rank;
}

std::string_view to_string(Stage stage) { return stage == Stage::encode ? "encode" : "decode"; }

Bytes Op::contributed(std::uint32_t learners) const {
  switch (word) {
    case Word::all_reduce:
    case Word::reduce_scatter: return learners * count * size_of(element);
    case Word::sparse_all_reduce: {
      Bytes sum = 0;
      for (const auto& support : *supports) sum += support.size() * entry_bytes;
      return sum;
    }
    case Word::all_to_all:
      if (bytes.size() == 1) return Bytes{learners} * members.size(learners) * bytes.front();
      break;
    case Word::broadcast: return members.count(learners) * bytes.front();
    case Word::rounds: return encoded;
    default: break;
  }
  return std::accumulate(bytes.begin(), bytes.end(), Bytes{0});
}

bool Op::operator==(const Op& other) const {
  auto scalars = [](const Op& op) {
    return std::tie(op.word, op.element, op.count, op.bytes, op.root, op.entry_bytes, op.pulled, op.rounds,
                    op.encoded, op.value_bytes, op.waits, op.members.among, op.members.node_size);
  };
  if (scalars(*this) != scalars(other) || !supports != !other.supports) return false;
  return !supports || *supports == *other.supports;
}

double Work::weight() const {
  auto [a, b, c] = sizes;
  double each = 0;
  switch (primitive) {
    case Primitive::elementwise:
    case Primitive::reduction:
    case Primitive::topk:
    case Primitive::chunk_top1:
    case Primitive::threshold_scan:
    case Primitive::bit_pack: each = static_cast<double>(a); break;
    case Primitive::hadamard:
      each = static_cast<double>(a) * std::log2(std::max(2.0, static_cast<double>(a)));
      break;
    case Primitive::gather:
    case Primitive::scatter: each = static_cast<double>(b); break;
    case Primitive::gemm:
      each = static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(c);
      break;
    case Primitive::gram_schmidt:
    case Primitive::qr:
      each = static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(b);
      break;
    case Primitive::svd:
      each = static_cast<double>(a) * static_cast<double>(b) * static_cast<double>(std::min(a, b));
      break;
  }
  return each * count;
}

}  // namespace traincast
