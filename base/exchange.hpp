// The words in which the two halves of traincast speak: what a method sent and computed, without a tensor in
// it. The compression pass writes an Exchange; the timing pass reads nothing else.
#pragma once

#include <array>
#include <cstdint>
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
enum class Word { all_reduce, all_gather, broadcast, reduce_scatter, all_to_all };
inline constexpr Word kWords[] = {Word::all_reduce, Word::all_gather, Word::broadcast, Word::reduce_scatter,
                                  Word::all_to_all};
std::string_view to_string(Word word);

/// The elements of a payload that is summed in flight.
enum class Element { fp32, bf16 };
constexpr Bytes size_of(Element element) { return element == Element::fp32 ? 4 : 2; }

/// One collective of a method, for one bucket.
struct Op {
  Word word = Word::all_reduce;
  Element element = Element::fp32;  ///< all_reduce, reduce_scatter
  std::uint64_t count = 0;          ///< all_reduce, reduce_scatter: elements in each learner's addend
  std::vector<Bytes> bytes{};       ///< all_gather: encoded message of each learner; broadcast: one size;
                                    ///< all_to_all: from learner i to learner j in place i·N + j
  LearnerId root = 0;               ///< broadcast
  /// Of what one learner contributes, the bytes that are gradient values, not indices, scales or padding;
  /// summed over learners.
  Bytes value_bytes = 0;
  /// False: the method's next work does not wait for it; it must be over when the bucket is decoded.
  bool waits = true;

  /// Encoded bytes that learners contribute, summed: N addends, N messages, or the root's one.
  Bytes contributed(std::uint32_t learners) const;
  bool operator==(const Op&) const = default;
};

/// Kinds of computing that an accelerator's description can turn into seconds.
enum class Primitive { elementwise, reduction, topk, chunk_top1, gather, scatter, gemm, gram_schmidt };
std::string_view to_string(Primitive primitive);

/// Which part of the step's time the work counts as. Work between two collectives of a method is `encode`.
enum class Stage { encode, decode };
std::string_view to_string(Stage stage);

struct Work {
  Primitive primitive = Primitive::elementwise;
  std::array<std::uint64_t, 3> sizes{};  ///< elementwise, reduction: n; topk, gather, scatter: n, k;
                                         ///< chunk_top1: n, chunk; gemm: m, n, r; gram_schmidt: n, r
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
