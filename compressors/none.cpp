// No compression: the dense all-reduce that every method is compared with, in fp32 or bf16.
#include "compressors/methods.hpp"
#include "compressors/quantised/half_precision.hpp"

namespace traincast {

namespace {

class DenseFp32 final : public Compressor {
 public:
  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {}; }

  void aggregate(const Step&, const Bucket&, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    group.phase(0);
    group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      contributions.kept_all(learner);
    });
    // Averaging is part of the reduction in every library: charged to nobody.
    auto learners = static_cast<float>(group.size());
    for (float& value : average) value /= learners;
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}
};

constexpr Parameter kParameters[] = {
    {"precision", Unit::word, "fp32|bf16", "fp32", "elements on the wire, summed in that precision"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  if (parameters.word("precision") == "bf16") return make_half_precision(Element::bf16, true);
  return std::make_unique<DenseFp32>();
}

}  // namespace

const Entry<MakeCompressor> kNoneMethod{"none", "sends the gradient as it is, fp32 or bf16; summed in flight",
                                        "bf16 as PyTorch's bf16_compress_hook: cast, divide by N, sum",
                                        kParameters, make};

}  // namespace traincast
