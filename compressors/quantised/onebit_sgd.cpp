// 1-bit SGD: of every column its signs and the two means that they stand for, with error feedback on both
// ways.
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "compressors/quantised/signs.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "1-bit SGD";

// The signs of the whole unit, then for each column the mean of its negative values and of the others. A
// column of the paper's matrices lies in one piece, which is a row (an output feature) in PyTorch's layout.
class OneBit final : public DenseCodec {
 public:
  OneBit(bool by_column, SignLayout layout)
      : DenseCodec(unpacked(layout) ? 8 : 1), by_column_(by_column), layout_(layout) {}

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    append_signs(message, values, layout_);
    const std::uint64_t columns = columns_of(call), size = columns == 0 ? 0 : values.size() / columns;
    for (std::uint64_t c = 0; c < columns; ++c) {
      double sums[2] = {0, 0}, counts[2] = {0, 0};
      for (float value : values.subspan(c * size, size)) {
        sums[value < 0] += static_cast<double>(value);
        counts[value < 0] += 1;
      }
      for (int negative : {1, 0})
        append(message, static_cast<float>(counts[negative] > 0 ? sums[negative] / counts[negative] : 0));
    }
    return message;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const Bytes signs = sign_bytes(layout_, call.numel);
    expect_message_size(kKind, message, signs + 8 * columns_of(call));
    check_signs(kKind, message.first(signs), call.numel, layout_);
    for (std::uint64_t at = signs; at < message.size(); at += 4)
      if (!std::isfinite(value_at<float>(message, at))) refuse_message(kKind, "has no mean where one is due");
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    read_signs(kKind, message, call.numel, layout_, begin, into);
    const Bytes signs = sign_bytes(layout_, call.numel);
    for_each_run(begin, into.size(), call.numel / columns_of(call),
                 [&](std::uint64_t c, std::size_t first, std::size_t end) {
                   const auto below = value_at<float>(message, signs + 8 * c),
                              above = value_at<float>(message, signs + 8 * c + 4);
                   for (std::size_t i = first; i < end; ++i) into[i] = into[i] < 0 ? below : above;
                 });
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    return message.size() - 8 * columns_of(call);
  }

 private:
  /// Equal runs of elements with their own two means.
  std::uint64_t columns_of(const Call& call) const {
    if (call.numel == 0) return 0;
    const auto& tensors = call.unit.tensors;
    if (!by_column_ || tensors.size() != 1 || tensors[0].shape.size() < 2) return 1;
    return static_cast<std::uint64_t>(tensors[0].shape[0]);
  }

  bool by_column_;
  SignLayout layout_;
};

constexpr Parameter kParameters[] = {
    {"means", Unit::word, "column|tensor", "column", "what has its own two means (GRACE: the whole tensor)"},
    {"transport", Unit::word, "all_to_all|all_gather", "all_to_all",
     "learners own columns, average them, and compress again with a second memory; or every message to "
     "everybody"},
    {"coding", Unit::word, "packed|bytes", "packed",
     "a bit an element in 32-bit words, or a byte each, as GRACE sends"},
};

// Seide et al. 2014, section 3.1; with the aggregation of section 4.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec =
      std::make_unique<OneBit>(parameters.word("means") == "column",
                               parameters.word("coding") == "packed" ? SignLayout::words : SignLayout::mask);
  ErrorRule rule{ErrorRule::Error::local, 1};
  if (parameters.word("transport") == "all_gather")
    return make_gathered(std::move(codec), Coupling::tensor, rule, seed);
  Recompression how;
  how.way = Recompression::Way::stripes;
  how.server_memory = true;
  how.by_row = true;
  return make_recompressed(std::move(codec), how, rule, seed);
}

}  // namespace

const Entry<MakeCompressor> kOneBitSgdMethod{
    "onebit_sgd",
    "signs and two means a column, compressed again by the columns' owners; error feedback on both",
    "Seide et al. 2014 (1-bit SGD, Interspeech), sections 3.1 and 4", kParameters, make};

}  // namespace traincast
