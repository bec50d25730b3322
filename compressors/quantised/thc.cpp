// THC: learners agree on the norm, send indices into a table of whole numbers, and servers add those up
// without decoding anything.
#include "compressors/quantised/thc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "compressors/bits.hpp"
#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/quantised/code_stream.hpp"
#include "compressors/quantised/rotation.hpp"

namespace traincast {

// Li et al. 2024, section 5.2 and appendix B: the best of all tables, found here by dynamic programming over
// pairs of neighbours; between a and b stochastic rounding of x errs by (x − a)(b − x) in the mean square.
std::vector<std::uint32_t> thc_table(unsigned bits, std::uint32_t granularity, double limit) {
  const std::uint32_t codes = 1u << bits, g = granularity;
  constexpr std::uint32_t kSteps = 64;  // of the integral, between two whole numbers
  auto place = [&](double number) { return (2 * number / g - 1) * limit; };
  std::vector<double> places, weights;
  for (std::uint32_t j = 0; j < g * kSteps; ++j) {
    const double x = place((j + 0.5) / kSteps);
    places.push_back(x);
    weights.push_back(std::exp(-x * x / 2));
  }
  std::vector<double> cost((g + 1) * (g + 1), 0.0);
  for (std::uint32_t a = 0; a < g; ++a)
    for (std::uint32_t b = a + 1; b <= g; ++b) {
      double sum = 0;
      for (std::uint32_t j = a * kSteps; j < b * kSteps; ++j)
        sum += (places[j] - place(a)) * (place(b) - places[j]) * weights[j];
      cost[a * (g + 1) + b] = sum;
    }
  // best[c][b]: the least cost of codes 0 … c with code c at b.
  std::vector<double> best(codes * (g + 1), std::numeric_limits<double>::infinity());
  std::vector<std::uint32_t> from(codes * (g + 1), 0);
  best[0] = 0;
  for (std::uint32_t c = 1; c < codes; ++c)
    for (std::uint32_t b = c; b <= g; ++b)
      for (std::uint32_t a = c - 1; a < b; ++a) {
        double total = best[(c - 1) * (g + 1) + a] + cost[a * (g + 1) + b];
        if (total < best[c * (g + 1) + b] * (1 - 1e-12)) {
          best[c * (g + 1) + b] = total;
          from[c * (g + 1) + b] = a;
        }
      }
  std::vector<std::uint32_t> table(codes);
  std::uint32_t at = g;
  for (std::uint32_t c = codes; c-- > 0; at = from[c * (g + 1) + at]) table[c] = at;
  return table;
}

double normal_limit(double outside) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) > outside ? low : high) = middle;
  }
  return std::nearbyint(low * 1e9) * 1e-9;
}

namespace {

constexpr const char* kKind = "THC";

class Thc final : public Compressor {
 public:
  Thc(unsigned bits, std::uint32_t granularity, double outside, std::uint64_t block, std::uint64_t seed)
      : bits_(bits),
        granularity_(granularity),
        limit_(normal_limit(outside)),
        block_(block),
        seed_(seed),
        table_(thc_table(bits, granularity, limit_)) {
    for (std::uint32_t number = 0; number <= granularity_; ++number) {
      const auto above = std::upper_bound(table_.begin(), table_.end() - 1, number);
      between_.push_back({static_cast<double>(above[-1]), static_cast<double>(*above - above[-1]),
                          static_cast<std::uint32_t>(above - table_.begin())});
    }
  }

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, 1}; }

  void refuse_learners(std::uint32_t learners) const override {
    if (std::uint64_t{learners} * granularity_ <= 65535) return;
    throw InputError(
        "sums of " + std::to_string(learners) + " numbers up to " + std::to_string(granularity_) +
        " do not fit 16 bits; the most learners that fit: " + std::to_string(65535 / granularity_));
  }

  /// Li et al. 2024, Algorithm 3.
  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    refuse_learners(group.stands_for());
    const std::uint64_t numel = unit.numel(), size = rotated_size(numel, block_);
    const std::uint32_t learners = group.size();
    const UnitDraws draws(seed_, step.index, unit.id);
    std::vector<float> vector(numel);

    group.phase(0);
    float norm = 0;
    group.all_reduce_max(
        {&norm, 1}, {{Primitive::reduction, {numel, 0, 0}}}, [&](LearnerId learner, std::span<float> own) {
          source.read(learner, vector);
          own[0] = static_cast<float>(std::sqrt(kernels().sum_of_squares(vector.data(), numel)));
        });

    // Rotated entries of a vector of this norm have this standard deviation.
    const float deviation = size > 0 ? norm / static_cast<float>(std::sqrt(static_cast<double>(size))) : 0;
    const float bound = static_cast<float>(limit_) * deviation;
    std::vector<std::uint32_t> sums(size, 0);
    Bytes bytes = 0;
    group.phase(1);
    group.each(Stage::encode, {{Primitive::hadamard, {size, 0, 0}}, {Primitive::bit_pack, {size, bits_, 0}}},
               [&](LearnerId learner) {
                 source.read(learner, vector);
                 const Message message =
                     encode(rotated(vector, block_, draws.shared()), bound, draws.own(learner));
                 bytes = message.size();
                 check_codes(kKind, message, size, bits_);
                 const bool remembers = contributions.wants_dense();
                 std::vector<float> own(remembers ? size : 0), worth(table_.size());
                 for (std::size_t code = 0; code < table_.size(); ++code)
                   worth[code] = value_of(table_[code], 1, bound);
                 std::uint8_t codes[kCodeBlock];
                 for (std::uint64_t begin = 0; begin < size; begin += kCodeBlock) {
                   const std::size_t count = std::min<std::uint64_t>(kCodeBlock, size - begin);
                   read_codes(message, begin, bits_, {codes, count});
                   // The servers' work.
                   for (std::size_t i = 0; i < count; ++i) sums[begin + i] += table_[codes[i]];
                   if (remembers)
                     for (std::size_t i = 0; i < count; ++i) own[begin + i] = worth[codes[i]];
                 }
                 if (remembers)
                   contributions.kept(learner, rotated_back(std::move(own), numel, block_, draws.shared()));
               });
    const Bytes pulled = (std::uint64_t{group.stands_for()} * granularity_ <= 255 ? 1 : 2) * size;
    group.push_pull(std::vector<Bytes>(learners, bytes), pulled, learners * bytes);

    group.phase(2);
    group.once(Stage::decode, {{Primitive::elementwise, {size, 0, 0}}, {Primitive::hadamard, {size, 0, 0}}},
               [&] {
                 std::vector<float> mean(size);
                 for (std::uint64_t i = 0; i < size; ++i) mean[i] = value_of(sums[i], learners, bound);
                 mean = rotated_back(std::move(mean), numel, block_, draws.shared());
                 std::copy(mean.begin(), mean.end(), average.begin());
               });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  /// The mean of `count` numbers of this sum.
  float value_of(std::uint32_t sum, std::uint32_t count, float bound) const {
    auto mean = static_cast<double>(sum) / count;
    return static_cast<float>((2 * mean / granularity_ - 1) * static_cast<double>(bound));
  }

  /// `bits` an element, lowest first: the code of one of the two table entries beside it.
  Message encode(const std::vector<float>& values, float bound, const Draws& draws) const {
    Message message;
    CodeWriter codes(message, bits_, values.size());
    std::uint32_t drawn[kCodeBlock];
    // Where all learners have nothing, everything lies in the middle.
    const double divisor = bound > 0 ? static_cast<double>(bound) : HUGE_VAL;
    for (std::uint64_t begin = 0; begin < values.size(); begin += kCodeBlock) {
      const std::size_t size = std::min<std::uint64_t>(kCodeBlock, values.size() - begin);
      draws.fill(begin, {drawn, size});
      std::uint8_t* out = codes.next();
      double numbers[kCodeBlock];
      for (std::size_t i = 0; i < size; ++i) {
        const double cut = static_cast<double>(values[begin + i]) / divisor;
        numbers[i] = (std::min(std::max(cut, -1.0), 1.0) + 1) / 2 * granularity_;
      }
      for (std::size_t i = 0; i < size; ++i) {
        const Between& between = between_[static_cast<std::uint32_t>(numbers[i])];
        const bool up =
            static_cast<double>(unit_interval(drawn[i])) * between.width < numbers[i] - between.low;
        out[i] = static_cast<std::uint8_t>(between.above - !up);
      }
      codes.take(size);
    }
    codes.finish();
    return message;
  }

  unsigned bits_;
  std::uint32_t granularity_;
  double limit_;
  std::uint64_t block_, seed_;
  std::vector<std::uint32_t> table_;
  /// The table's entries beside a number, and the code of the upper one.
  struct Between {
    double low, width;
    std::uint32_t above;
  };
  std::vector<Between> between_;  // by the whole number below it
};

constexpr Parameter kParameters[] = {
    {"bits", Unit::count, "[1, 6]", "4", "of an index on the way up"},
    {"granularity", Unit::count, "[1, 255]", "30",
     "the largest whole number of the table, at least 2^bits − 1"},
    {"outside", Unit::ratio, "(0, 0.5]", "0.03125", "share of the entries that is cut at both ends"},
    {"block", Unit::count, "[0, 1073741824]", "0",
     "elements that are rotated together, a power of two; 0: the tensor, filled up to one"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto bits = static_cast<unsigned>(parameters.count("bits"));
  auto granularity = static_cast<std::uint32_t>(parameters.count("granularity"));
  if (granularity + 1 < (1u << bits))
    throw InputError("'granularity' is " + std::to_string(granularity) + ", but " +
                     std::to_string(1u << bits) + " codes need at least " + std::to_string((1u << bits) - 1));
  return std::make_unique<Thc>(bits, granularity, parameters.number("outside"), rotation_block(parameters),
                               seed);
}

}  // namespace

const Entry<MakeCompressor> kThcMethod{
    "thc",
    "indices into a table of whole numbers, added up by servers without decoding; local error feedback",
    "Li et al. 2024 (THC, NSDI; arXiv 2302.08545), Algorithm 3", kParameters, make};

}  // namespace traincast
