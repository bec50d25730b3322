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
#include "compressors/quantised/fp16.hpp"
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
class QsgdCodec final : public Codec {
 public:
  QsgdCodec(std::uint32_t levels, Norm norm, std::uint64_t bucket, Coding coding)
      : levels_(levels), norm_(norm), bucket_(bucket), coding_(coding) {}

  bool dense() const override { return true; }
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
    const std::uint64_t numel = call.numel, buckets = buckets_of(numel);
    if (message.size() < 4 * buckets) refuse_message(kKind, "ends within its norms");
    auto norms = read_values<float>(message, 0, buckets);
    for (float norm : norms) checked_scale(kKind, norm);
    Decoded sent{true, {}, std::vector<float>(numel)};
    const auto levels = static_cast<float>(levels_);
    auto codes = message.subspan(4 * buckets);
    if (coding_ == Coding::packed && levels_ <= 127) {
      unpack_directly(codes, norms, sent.values);
      return sent;
    }
    std::vector<std::int32_t> numbers = read(codes, numel);
    for (std::uint64_t b = 0; b < buckets; ++b) {
      auto [begin, size] = bucket(b, numel);
      const float step = norms[b] / levels;
      for (std::uint64_t i = begin; i < begin + size; ++i)
        sent.values[i] = static_cast<float>(numbers[i]) * step;
    }
    return sent;
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
        // While this block is computed the next comes nearer.
        for (std::size_t i = 0; i < block; i += 16) __builtin_prefetch(values.data() + begin + at + block + i);
        quantise_block(values.subspan(begin + at, block), norm, levels_, begin + at, call.own, codes.next());
        codes.take(block);
      }
    }
    codes.finish();
  }

  void unpack_directly(std::span<const std::byte> message, std::span<const float> norms,
                       std::span<float> out) const {
    const auto levels = static_cast<float>(levels_);
    const std::uint64_t size = bucket_of(out.size());
    read_codes(kKind, message, out.size(), width(),
               [&](std::uint64_t first, const std::uint8_t* codes, std::size_t count) {
                 unsigned most = 0;
                 for (std::size_t i = 0; i < count; ++i) most = std::max<unsigned>(most, codes[i]);
                 if (most > 2 * levels_) refuse_message(kKind, "has a level beyond the last");
                 for (std::size_t i = 0; i < count;) {
                   std::uint64_t b = (first + i) / size;
                   std::size_t part = std::min<std::uint64_t>(count - i, (b + 1) * size - first - i);
                   kernels().values(codes + i, part, levels, norms[b] / levels, out.data() + first + i);
                   i += part;
                 }
               });
  }

  std::uint64_t buckets_of(std::uint64_t numel) const {
    return (numel + bucket_of(numel) - 1) / bucket_of(numel);
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
      case Coding::bytes:
        for (std::uint32_t code : codes) {
          std::int32_t level = static_cast<std::int32_t>(code) - zero;
          if (levels_ < 128)
            append(message, static_cast<std::int8_t>(level));
          else
            append(message, fp16_bits(static_cast<float>(level)));
        }
        break;
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

  std::vector<std::int32_t> read(std::span<const std::byte> message, std::uint64_t numel) const {
    std::vector<std::int32_t> codes(numel);
    const auto most = static_cast<std::int32_t>(levels_);
    auto checked = [&](std::int64_t code) {
      if (code < -most || code > most)
        refuse_message(kKind, "has level " + std::to_string(code) + " beyond " + std::to_string(most));
      return static_cast<std::int32_t>(code);
    };
    if (coding_ == Coding::packed) {
      expect_message_size(kKind, message, bytes_of_bits(numel * width()));
      LowBitReader bits(message);
      for (std::int32_t& code : codes) code = checked(std::int64_t{bits.get(width())} - most);
      if (!bits.filled_with_zeros()) refuse_message(kKind, "is not filled with zeros");
    } else if (coding_ == Coding::bytes) {
      expect_message_size(kKind, message, numel * width() / 8);
      for (std::uint64_t i = 0; i < numel; ++i) {
        if (levels_ < 128) {
          codes[i] = checked(static_cast<std::int8_t>(message[i]));
        } else {
          float half = fp16_value(read_values<std::uint16_t>(message, 2 * i, 1)[0]);
          if (!std::isfinite(half)) refuse_message(kKind, "has a level that is no number");
          codes[i] = checked(static_cast<std::int64_t>(half));
        }
      }
    } else if (numel == 0) {
      expect_message_size(kKind, message, 0);
    } else {
      if (message.size() < 4 || message.size() % 4 != 0) refuse_message(kKind, "is no number of words");
      auto words = read_values<std::uint32_t>(message, 0, message.size() / 4);
      std::uint64_t count = words.back();
      words.pop_back();
      if (words.size() != (count + 31) / 32)
        refuse_message(kKind, "has another number of words than it says");
      WordBitReader bits(kKind, words, count);
      for (std::uint64_t next = 0; !bits.at_end();) {
        next += bits.get_delta();
        if (next > numel) refuse_message(kKind, "has an element beyond its vector");
        bool negative = bits.get(1);
        auto level = std::int64_t{bits.get_delta()};
        codes[next - 1] = checked(negative ? -level : level);
      }
    }
    return codes;
  }

  std::uint32_t levels_;
  Norm norm_;
  std::uint64_t bucket_;
  Coding coding_;
};

constexpr Parameter kParameters[] = {
    {"levels", Unit::count, "[1, 32767]", "127", "levels between zero and the norm"},
    {"norm", Unit::word, "l2|max", "l2", "what the levels divide: the L2 norm or the largest magnitude"},
    {"bucket", Unit::count, "[0, 1000000000]", "512",
     "elements with a norm of their own; 0: the whole tensor"},
    {"coding", Unit::word, "packed|elias|bytes", "packed",
     "⌈log2(2·levels + 1)⌉ bits an element; Elias's delta code; a byte (from 128 levels on two), as GRACE "
     "sends"},
};

// Alistarh et al. 2017, section 3.1; buckets section 4.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  const std::string& coding = parameters.word("coding");
  auto levels = static_cast<std::uint32_t>(parameters.count("levels"));
  if (coding == "bytes" && levels > 2048)
    throw InputError(
        "'coding' is \"bytes\", whose half precision holds whole numbers up to 2048, but 'levels' is " +
        std::to_string(levels));
  auto codec = std::make_unique<QsgdCodec>(levels, parameters.word("norm") == "l2" ? Norm::l2 : Norm::max,
                                           static_cast<std::uint64_t>(parameters.count("bucket")),
                                           coding == "packed"  ? Coding::packed
                                           : coding == "elias" ? Coding::elias
                                                               : Coding::bytes);
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
    std::vector<std::uint32_t> codes(values.size());
    quantise(values, scale, static_cast<std::uint32_t>(most_), 0, draws, codes);
    const auto zero = static_cast<float>(most_);
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
