// The words in which the two halves of traincast speak: what a method sent and computed, without a tensor in
// it. The compression pass writes an Exchange; the timing pass reads nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace traincast {

using LearnerId = std::uint32_t;
using Index = std::uint32_t;  ///< an element's place in its tensor (or unit)
using Bytes = std::uint64_t;

struct TensorInfo {
  std::uint32_t id = 0;  ///< its place in the model's order of definition
  std::string name;
  std::vector<std::int64_t> shape;  ///< PyTorch layout: output features first
  std::string kind;                 ///< "linear.weight", "conv.weight", "bias", "norm.weight" …

  std::uint64_t numel() const {
    std::uint64_t n = 1;
    for (std::int64_t extent : shape) n *= static_cast<std::uint64_t>(extent);
    return n;
  }
  bool operator==(const TensorInfo&) const = default;
};

/// Tensors that travel together, in the order in which their gradients become ready. What one call of a
/// compressor sees is a bucket too: one tensor, a bucket, or the whole model.
struct Bucket {
  std::uint32_t id = 0;
  std::vector<TensorInfo> tensors;

  std::uint64_t numel() const {
    std::uint64_t n = 0;
    for (const TensorInfo& tensor : tensors) n += tensor.numel();
    return n;
  }
};

/// What a collective does, not how.
enum class Word {
  all_reduce,
  all_gather,
  broadcast,
  reduce_scatter,
  all_to_all,
  sparse_all_reduce,  ///< sums sparse vectors, whose supports unite on the way
  push_pull,          ///< every learner's message to servers, theirs back to every learner
  neighbours,         ///< every learner's message to its neighbours in a graph
  rounds,             ///< point to point, as the method itself says: values change on the way
};
inline constexpr Word kWords[] = {Word::all_reduce,     Word::all_gather, Word::broadcast,
                                  Word::reduce_scatter, Word::all_to_all, Word::sparse_all_reduce,
                                  Word::push_pull,      Word::neighbours, Word::rounds};
std::string_view to_string(Word word);

/// The elements of a payload that is summed (or of which the largest are taken) in flight.
enum class Element { fp32, bf16, fp16, int32, int16, int8 };
constexpr Bytes size_of(Element element) {
  if (element == Element::fp32 || element == Element::int32) return 4;
  return element == Element::int8 ? 1 : 2;
}

/// A message of a method's own round.
struct Transfer {
  LearnerId from = 0, to = 0;
  Bytes bytes = 0;
  bool operator==(const Transfer&) const = default;
};

/// The places, rising, of which each learner sends the values; by learner.
using Supports = std::vector<std::vector<Index>>;

/// Among whom a collective runs. Learners are numbered node by node.
enum class Among {
  all,
  within,  ///< the learners of a node; all nodes side by side
  across,  ///< the learners in one place of every node; all places side by side
};
std::string_view to_string(Among among);

/// Sub-groups of learners that run the same collective at the same time, each its own. In a sub-group ranks
/// count from 0, in the order of learners.
struct Subgroups {
  Among among = Among::all;
  std::uint32_t node_size = 1;  ///< learners of a node, which divides their number; 1 for `all`

  /// Ranks in each sub-group.
  std::uint32_t size(std::uint32_t learners) const;
  std::uint32_t count(std::uint32_t learners) const { return learners / size(learners); }
  std::uint32_t group_of(LearnerId learner) const;
  std::uint32_t rank_of(LearnerId learner) const;
  LearnerId learner(std::uint32_t group, std::uint32_t rank) const;
  bool operator==(const Subgroups&) const = default;
};

/// One collective of a method, for one bucket; where it runs among sub-groups, one of each, alike in all but
/// the bytes that each learner sends.
struct Op {
  Word word = Word::all_reduce;
  Element element = Element::fp32;  ///< all_reduce, reduce_scatter, sparse_all_reduce
  std::uint64_t count = 0;          ///< of the same: elements in each learner's addend, zeros included
  std::vector<Bytes> bytes{};       ///< all_gather, push_pull, neighbours: encoded message of each learner;
                                    ///< broadcast: one size; all_to_all: from learner i to rank j of its
                                    ///< group of n in place i·n + j, or one size between any two
  LearnerId root = 0;               ///< broadcast: the rank in each group
  std::shared_ptr<const Supports> supports{};   ///< sparse_all_reduce
  Bytes entry_bytes = 8;                        ///< sparse_all_reduce: of a place and its value
  Bytes pulled = 0;                             ///< push_pull: what servers send back to each learner
  std::vector<std::vector<Transfer>> rounds{};  ///< rounds: a learner sends and takes one at most in each
  Bytes encoded = 0;                            ///< rounds: what learners contribute, summed over them
  /// Of what one learner contributes, the bytes that are gradient values, not indices, scales or padding;
  /// summed over learners.
  Bytes value_bytes = 0;
  /// False: the method's next work does not wait for it; it must be over when the bucket is decoded.
  bool waits = true;
  /// Words that may run among sub-groups: all_reduce, reduce_scatter, all_gather, broadcast, all_to_all,
  /// sparse_all_reduce.
  Subgroups members{};

  /// Encoded bytes that learners contribute, summed: N addends, N messages, or the root's one.
  Bytes contributed(std::uint32_t learners) const;
  bool operator==(const Op&) const;
};

/// Kinds of computing that an accelerator's description can turn into seconds.
enum class Primitive {
  elementwise,
  reduction,
  topk,
  chunk_top1,
  threshold_scan,
  gather,
  scatter,
  bit_pack,
  hadamard,
  gemm,
  gram_schmidt,
  qr,
  svd,
};
std::string_view to_string(Primitive primitive);

/// Which part of the step's time the work counts as. Work between two collectives of a method is `encode`.
enum class Stage { encode, decode };
std::string_view to_string(Stage stage);

struct Work {
  Primitive primitive = Primitive::elementwise;
  std::array<std::uint64_t, 3> sizes{};  ///< elementwise, reduction, hadamard: n; topk, threshold_scan,
                                         ///< gather, scatter: n, k; chunk_top1: n, chunk; bit_pack: n, bits;
                                         ///< gemm: m, n, r; gram_schmidt, qr: n, r; svd: n, m
  std::uint32_t count = 1;               ///< how many of them
  Stage stage = Stage::encode;
  std::optional<LearnerId> only{};  ///< nobody else computes it
  bool operator==(const Work&) const = default;

  /// Elements touched, to share out a given total of seconds.
  double weight() const;
};

/// Work, then one collective that waits for it (none in the last phase of most methods: decoding).
struct Phase {
  std::vector<Work> work;
  std::optional<Op> op;
  bool operator==(const Phase&) const = default;
};

/// What a method did with one bucket in one step. A phase's work waits for the collectives of earlier phases
/// that have `waits`; the last phase's waits for all.
struct BucketExchange {
  std::vector<Phase> phases;
  bool operator==(const BucketExchange&) const = default;
};

}  // namespace traincast
