#include "compressors/quantised/half_precision.hpp"

#include <cmath>
#include <vector>

#include "compressors/methods.hpp"
#include "base/bf16.hpp"
#include "base/fp16.hpp"

namespace traincast {

namespace {

class HalfPrecision final : public Compressor {
 public:
  HalfPrecision(Element element, bool divides_first) : element_(element), divides_first_(divides_first) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {}; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const Work pass{Primitive::elementwise, {unit.numel(), 0, 0}};
    const auto learners = static_cast<float>(group.size());
    std::vector<float> kept;

    group.phase(0);
    group.all_reduce(element_, average, {pass}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      round(addend);
      if (divides_first_) {
        for (float& value : addend) value /= learners;
        round(addend);
      }
      if (!contributions.wants_dense()) return;
      kept.assign(addend.begin(), addend.end());
      if (divides_first_)
        for (float& value : kept) value *= learners;
      contributions.kept(learner, kept);
    });
    group.phase(1);
    group.once(Stage::decode, {pass}, [&] {
      if (divides_first_) return;
      for (float& value : average) value /= learners;
      round(average);
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  void round(std::span<float> values) const {
    if (element_ == Element::bf16)
      for (float& value : values) value = round_to_bf16(value);
    else
      for (float& value : values) value = round_to_fp16(value);
  }

  Element element_;
  bool divides_first_;
};

constexpr Parameter kParameters[] = {
    {"divide", Unit::word, "before|after", "before",
     "by the number of learners before the sum, as PyTorch's hook does, or after it (Horovod), where sums "
     "beyond "
     "65504 become infinite"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return make_half_precision(Element::fp16, parameters.word("divide") == "before");
}

}  // namespace

std::unique_ptr<Compressor> make_half_precision(Element element, bool divides_first) {
  return std::make_unique<HalfPrecision>(element, divides_first);
}

const Entry<MakeCompressor> kFp16Method{"fp16", "half precision, summed in flight in half precision",
                                        "PyTorch's fp16_compress_hook; Horovod's Compression.fp16",
                                        kParameters, make};

}  // namespace traincast
