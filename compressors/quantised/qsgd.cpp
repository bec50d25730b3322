// QSGD: levels between zero and the norm, rounded up or down at random; and its form with a shared norm.
#include <algorithm>
#include <cmath>
#include <string>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/integer_sum.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/dense_codec.hpp"
#include "base/fp16.hpp"
#include "compressors/quantised/stochastic.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "QSGD";

enum class Norm { l2, max };
enum class Coding { packed, elias, bytes };

float norm_of(std::span<const float> values, Norm norm) {
  if (norm == Norm::max) return kernels().largest_magnitude(values.data(), values.size());
  return static_cast<float>(std::sqrt(kernels().sum_of_squares(values.data(), values.size())));
}

/// levels / norm, and a factor for the values before it: the quotient of a tiny norm is beyond all floats.
struct Gain {
  float first = 1, second = 0;
  Gain(float norm, float levels) {
    if (norm < 0x1p-100f) first = 0x1p100f;
    second = norm == 0 ? 0 : levels / (norm * first);
  }
};

/// Levels of one bucket, with their signs and `levels` added: codes from 0 to 2 · levels.
void quantise(std::span<const float> values, float norm, std::uint32_t levels, std::uint64_t begin,
              const Draws& draws, std::span<std::uint32_t> out) {
  constexpr std::size_t kBlock = 1024;
  std::uint32_t drawn[kBlock];
  const auto most = static_cast<float>(levels);
  const Gain gain(norm, most);
  for (std::size_t at = 0; at < values.size(); at += kBlock) {
    std::size_t size = std::min(kBlock, values.size() - at);
    draws.fill(begin + at, {drawn, size});
    for (std::size_t i = 0; i < size; ++i) {
      // Rounding may carry the largest magnitude a little beyond the last level.
      float level = std::min(most, std::fabs(values[at + i]) * gain.first * gain.second);
      std::uint32_t whole = round_up_or_down(level, drawn[i]);
      out[at + i] = values[at + i] < 0 ? levels - whole : levels + whole;
    }
  }
}

/// The same for up to 127 levels and kCodeBlock values.
void quantise_block(std::span<const float> values, float norm, std::uint32_t levels, std::uint64_t begin,
                    const Draws& draws, std::uint8_t* out) {
  const Gain gain(norm, static_cast<float>(levels));
  std::uint32_t drawn[kCodeBlock];
  if (gain.first != 1) {
    quantise(values, norm, levels, begin, draws, {drawn, values.size()});
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<std::uint8_t>(drawn[i]);
    return;
  }
  draws.fill(begin, {drawn, values.size()});
  kernels().levels(values.data(), drawn, values.size(), gain.second, static_cast<float>(levels), out);
}

// The norms of all buckets in four bytes each, then the codes. packed: level and sign together in
// ⌈log2(2s + 1)⌉ bits, lowest first. elias: for each element that is not zero the gap, the sign and the
// level, gap and level in Elias's delta code, in 32-bit words, with the number of bits behind (BytePS's
// dithering writes one bucket so, its norm last). bytes: an int8 each, or half precision from 128 levels on
// (GRACE).
class QsgdCodec final : public PieceCodec {
 public:
  QsgdCodec(std::uint32_t levels, Norm norm, std::uint64_t bucket, Coding coding, bool padded)
      : levels_(levels), norm_(norm), bucket_(bucket), coding_(coding), padded_(padded) {}

  const PieceCodec* in_pieces() const override { return coding_ == Coding::elias ? nullptr : this; }
  bool size_follows_from_shape() const override { return coding_ != Coding::elias; }
  bool unbiased() const override { return true; }

  Message encode(std::span<const float> values, const Call& call) override {
    const std::uint64_t numel = values.size();
    Message message(4 * buckets_of(numel));
    if (coding_ == Coding::packed && levels_ <= 127) {
      pack_directly(message, values, call);
      return message;
    }
    std::vector<std::uint32_t> codes(numel);
    for (std::uint64_t b = 0; b < buckets_of(numel); ++b) {
      auto [begin, size] = bucket(b, numel);
      float norm = norm_of(values.subspan(begin, size), norm_);
      std::memcpy(message.data() + 4 * b, &norm, sizeof norm);
      quantise(values.subspan(begin, size), norm, levels_, begin, call.own,
               std::span(codes).subspan(begin, size));
    }
    write(message, codes);
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    if (coding_ != Coding::elias) return PieceCodec::decode(message, call);
    check(message, call);
    const std::uint64_t buckets = buckets_of(call.numel);
    const std::vector<std::int32_t> numbers = read_elias(message.subspan(4 * buckets), call.numel);
    Decoded sent{true, {}, std::vector<float>(call.numel)};
    for (std::uint64_t b = 0; b < buckets; ++b) {
      auto [begin, size] = bucket(b, call.numel);
      const float step = value_at<float>(message, 4 * b) / static_cast<float>(levels_);
      for (std::uint64_t i = begin; i < begin + size; ++i)
        sent.values[i] = static_cast<float>(numbers[i]) * step;
    }
    return sent;
  }

  void check(std::span<const std::byte> message, const Call& call) const override {
    const std::uint64_t buckets = buckets_of(call.numel);
    if (message.size() < 4 * buckets) refuse_message(kKind, "ends within its norms");
    for (std::uint64_t b = 0; b < buckets; ++b) checked_scale(kKind, value_at<float>(message, 4 * b));
    auto codes = message.subspan(4 * buckets);
    if (coding_ == Coding::bytes) {
      expect_message_size(kKind, codes, coded(call.numel) * width() / 8);
      for (std::byte fill : codes.subspan(call.numel * width() / 8))
        if (fill != std::byte(0)) refuse_message(kKind, "is not filled with zeros");
    }
    if (coding_ == Coding::packed) check_codes(kKind, codes, call.numel, width());
  }

  void piece(std::span<const std::byte> message, const Call& call, std::uint64_t begin,
             std::span<float> into) const override {
    const auto codes = message.subspan(4 * buckets_of(call.numel));
    const auto most = static_cast<float>(levels_);
    if (coding_ == Coding::packed && levels_ <= 127) {
      std::uint8_t block[kPiece];
      read_codes(codes, begin, width(), {block, into.size()});
      unsigned largest = 0;
      for (std::size_t i = 0; i < into.size(); ++i) largest = std::max<unsigned>(largest, block[i]);
      if (largest > 2 * levels_) refuse_message(kKind, "has a level beyond the last");
      for_each_run(begin, into.size(), bucket_of(call.numel),
                   [&](std::uint64_t b, std::size_t first, std::size_t end) {
                     kernels().values(block + first, end - first, most,
                                      value_at<float>(message, 4 * b) / most, into.data() + first);
                   });
      return;
    }
    read_numbers(codes, begin, into);
    for_each_run(begin, into.size(), bucket_of(call.numel),
                 [&](std::uint64_t b, std::size_t first, std::size_t end) {
                   const float step = value_at<float>(message, 4 * b) / most;
                   for (std::size_t i = first; i < end; ++i) into[i] *= step;
                 });
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    return message.size() - 4 * buckets_of(call.numel);
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::reduction, {numel, 0, 0}}, {Primitive::bit_pack, {numel, width(), 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::bit_pack, {numel, width(), 0}, learners}};
  }

 private:
  std::uint64_t bucket_of(std::uint64_t numel) const {
    return bucket_ == 0 ? std::max<std::uint64_t>(numel, 1) : bucket_;
  }
  /// Where a bucket begins, and its elements.
  std::pair<std::uint64_t, std::uint64_t> bucket(std::uint64_t number, std::uint64_t numel) const {
    std::uint64_t begin = number * bucket_of(numel);
    return {begin, std::min(bucket_of(numel), numel - begin)};
  }

  /// Block by block through the first cache: norm, draws, codes, bits.
  void pack_directly(Message& message, std::span<const float> values, const Call& call) const {
    CodeWriter codes(message, width(), values.size());
    for (std::uint64_t b = 0; b < buckets_of(values.size()); ++b) {
      auto [begin, size] = bucket(b, values.size());
      float norm = norm_of(values.subspan(begin, size), norm_);
      std::memcpy(message.data() + 4 * b, &norm, sizeof norm);
      for (std::uint64_t at = 0; at < size; at += kCodeBlock) {
        std::size_t block = std::min<std::uint64_t>(kCodeBlock, size - at);
        quantise_block(values.subspan(begin + at, block), norm, levels_, begin + at, call.own, codes.next());
        codes.take(block);
      }
    }
    codes.finish();
  }

  std::uint64_t buckets_of(std::uint64_t numel) const {
    return (numel + bucket_of(numel) - 1) / bucket_of(numel);
  }
  /// Elements that are sent: padded, whole buckets.
  std::uint64_t coded(std::uint64_t numel) const {
    return padded_ ? buckets_of(numel) * bucket_of(numel) : numel;
  }
  unsigned width() const {
    if (coding_ == Coding::bytes) return levels_ < 128 ? 8 : 16;
    return bits_for(2 * std::uint64_t{levels_} + 1);
  }

  void write(Message& message, std::span<const std::uint32_t> codes) const {
    const auto zero = static_cast<std::int32_t>(levels_);
    switch (coding_) {
      case Coding::packed: {
        message.reserve(message.size() + bytes_of_bits(codes.size() * width()));
        LowBitWriter bits(message);
        for (std::uint32_t code : codes) bits.put(code, width());
        bits.finish();
        break;
      }
      case Coding::bytes: {
        std::size_t at = message.size();
        message.resize(at + coded(codes.size()) * width() / 8);
        for (std::uint32_t code : codes) {
          const std::int32_t level = static_cast<std::int32_t>(code) - zero;
          if (levels_ < 128) {
            message[at++] = std::byte(static_cast<std::uint8_t>(level));
            continue;
          }
          const std::uint16_t half = fp16_bits(static_cast<float>(level));
          std::memcpy(message.data() + at, &half, sizeof half);
          at += sizeof half;
        }
        break;
      }
      case Coding::elias: {
        if (codes.empty()) break;
        WordBitWriter bits;
        std::int64_t before = -1;
        for (std::size_t i = 0; i < codes.size(); ++i) {
          std::int32_t level = static_cast<std::int32_t>(codes[i]) - zero;
          if (level == 0) continue;
          bits.put_delta(static_cast<std::uint32_t>(static_cast<std::int64_t>(i) - before));
          bits.put(level < 0, 1);
          bits.put_delta(static_cast<std::uint32_t>(std::abs(level)));
          before = static_cast<std::int64_t>(i);
        }
        append(message, bits.words());
        append(message, static_cast<std::uint32_t>(bits.bits()));
        break;
      }
    }
  }

  std::int32_t checked(std::int64_t level) const {
    const std::int64_t most = levels_;
    if (level < -most || level > most)
      refuse_message(kKind, "has level " + std::to_string(level) + " beyond " + std::to_string(most));
    return static_cast<std::int32_t>(level);
  }

  /// Levels from `begin` on: of wide fields, or of a byte or two each.
  void read_numbers(std::span<const std::byte> codes, std::uint64_t begin, std::span<float> into) const {
    LowBitReader bits(codes.subspan(begin * width() / 8));
    for (std::size_t i = 0; i < into.size(); ++i) {
      if (coding_ == Coding::packed) {
        into[i] = static_cast<float>(checked(std::int64_t{bits.get(width())} - levels_));
      } else if (levels_ < 128) {
        into[i] = static_cast<float>(checked(value_at<std::int8_t>(codes, begin + i)));
      } else {
        into[i] = fp16_value(value_at<std::uint16_t>(codes, 2 * (begin + i)));
        if (!std::isfinite(into[i]) || std::trunc(into[i]) != into[i])
          refuse_message(kKind, "has a level that is no whole number");
        checked(static_cast<std::int64_t>(into[i]));
      }
    }
  }

  std::vector<std::int32_t> read_elias(std::span<const std::byte> message, std::uint64_t numel) const {
    std::vector<std::int32_t> numbers(numel);
    if (numel == 0) {
      expect_message_size(kKind, message, 0);
      return numbers;
    }
    if (message.size() < 4 || message.size() % 4 != 0) refuse_message(kKind, "is no number of words");
    auto words = read_values<std::uint32_t>(message, 0, message.size() / 4);
    const std::uint64_t count = words.back();
    words.pop_back();
    if (words.size() != (count + 31) / 32) refuse_message(kKind, "has another number of words than it says");
    WordBitReader bits(kKind, words, count);
    for (std::uint64_t next = 0; !bits.at_end();) {
      next += bits.get_delta();
      if (next > numel) refuse_message(kKind, "has an element beyond its vector");
      bool negative = bits.get(1);
      auto level = std::int64_t{bits.get_delta()};
      numbers[next - 1] = checked(negative ? -level : level);
    }
    return numbers;
  }

  std::uint32_t levels_;
  Norm norm_;
  std::uint64_t bucket_;
  Coding coding_;
  bool padded_;
};

constexpr Parameter kParameters[] = {
    {"levels", Unit::count, "[1, 32767]", "127", "levels between zero and the norm"},
    {"norm", Unit::word, "l2|max", "l2", "what the levels divide: the L2 norm or the largest magnitude"},
    {"bucket", Unit::count, "[0, 1000000000]", "512",
     "elements with a norm of their own; 0: the whole tensor"},
    {"coding", Unit::word, "packed|elias|bytes", "packed",
     "⌈log2(2·levels + 1)⌉ bits an element; Elias's delta code; a byte (from 128 levels on two), as GRACE "
     "sends"},
    {"padding", Unit::word, "none|buckets", "none",
     "with bytes: buckets: the last is filled up with zeros, as GRACE for torch.distributed sends it"},
};

// Alistarh et al. 2017, section 3.1; buckets section 4.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  const std::string& coding = parameters.word("coding");
  auto levels = static_cast<std::uint32_t>(parameters.count("levels"));
  if (coding == "bytes" && levels > 2048)
    throw InputError(
        "'coding' is \"bytes\", whose half precision holds whole numbers up to 2048, but 'levels' is " +
        std::to_string(levels));
  const bool padded = parameters.word("padding") == "buckets";
  if (padded && coding != "bytes")
    throw InputError("'padding' is \"buckets\", which fills buckets of bytes, but 'coding' is \"" + coding +
                     "\"");
  auto codec = std::make_unique<QsgdCodec>(levels, parameters.word("norm") == "l2" ? Norm::l2 : Norm::max,
                                           static_cast<std::uint64_t>(parameters.count("bucket")),
                                           coding == "packed"  ? Coding::packed
                                           : coding == "elias" ? Coding::elias
                                                               : Coding::bytes,
                                           padded);
  return make_gathered(std::move(codec), Coupling::tensor, {}, seed);
}

class MaxNormLevels final : public IntegerLevels {
 public:
  explicit MaxNormLevels(unsigned bits) : most_((std::uint64_t{1} << bits) - 1) {}
  std::uint64_t most() const override { return most_; }
  bool unbiased() const override { return true; }
  float scale_of(std::span<const float> values) const override { return norm_of(values, Norm::max); }
  void levels(std::span<const float> values, float scale, const Draws& draws,
              std::span<float> out) const override {
    const auto zero = static_cast<float>(most_);
    const auto most = static_cast<std::uint32_t>(most_);
    if (most <= 127) {
      std::uint8_t block[kCodeBlock];
      for (std::size_t begin = 0; begin < values.size(); begin += kCodeBlock) {
        const std::size_t size = std::min(kCodeBlock, values.size() - begin);
        quantise_block(values.subspan(begin, size), scale, most, begin, draws, block);
        kernels().values(block, size, zero, 1, out.data() + begin);
      }
      return;
    }
    std::vector<std::uint32_t> codes(values.size());
    quantise(values, scale, most, 0, draws, codes);
    for (std::size_t i = 0; i < codes.size(); ++i) out[i] = static_cast<float>(codes[i]) - zero;
  }

 private:
  std::uint64_t most_;
};

constexpr Parameter kMaxNormParameters[] = {
    {"bits", Unit::count, "[1, 14]", "3",
     "2^bits − 1 levels between zero and the largest magnitude of all learners"},
    {"element", Unit::word, "auto|int8|int16|int32", "auto",
     "integers that are summed; auto: the narrowest that hold the sum"},
};

std::unique_ptr<Compressor> make_max_norm(const Parameters& parameters, std::uint64_t seed) {
  const std::string& element = parameters.word("element");
  std::optional<Element> chosen;
  if (element == "int8") chosen = Element::int8;
  if (element == "int16") chosen = Element::int16;
  if (element == "int32") chosen = Element::int32;
  return make_integer_sum(std::make_unique<MaxNormLevels>(static_cast<unsigned>(parameters.count("bits"))),
                          chosen, {}, seed);
}

}  // namespace

const Entry<MakeCompressor> kQsgdMethod{
    "qsgd", "levels between zero and the norm, rounded at random, unbiased; gathered",
    "Alistarh et al. 2017 (QSGD, arXiv 1610.02132), sections 3 and 4", kParameters, make};

const Entry<MakeCompressor> kQsgdMaxNormMethod{
    "qsgd_maxnorm", "levels at the largest magnitude of all learners, unbiased; integers summed in flight",
    "Alistarh et al. 2017 at the largest norm of all learners (Xin et al. 2023, Global-QSGD, arXiv "
    "2305.18627)",
    kMaxNormParameters, make_max_norm};

}  // namespace traincast
