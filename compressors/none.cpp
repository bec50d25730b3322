// No compression: the dense all-reduce that every method is compared with, in fp32 or bf16.
#include "compressors/methods.hpp"
#include "compressors/quantised/bf16.hpp"

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

// As PyTorch's bf16_compress_hook: cast, divide by N in bf16 (so that sums do not overflow), sum in bf16,
// cast back.
class DenseBf16 final : public Compressor {
 public:
  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {}; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const Work pass{Primitive::elementwise, {unit.numel(), 0, 0}};
    auto learners = static_cast<float>(group.size());
    std::vector<float> kept;

    group.phase(0);
    group.all_reduce(Element::bf16, average, {pass}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      for (float& value : addend) value = round_to_bf16(round_to_bf16(value) / learners);
      if (!contributions.wants_dense()) return;
      kept.assign(addend.begin(), addend.end());
      for (float& value : kept) value *= learners;
      contributions.kept(learner, kept);
    });
    std::vector<std::uint16_t> received(average.size());  // as it stands after the reduction
    for (std::size_t i = 0; i < received.size(); ++i) received[i] = bf16_bits(average[i]);
    group.phase(1);
    group.once(Stage::decode, {pass}, [&] {
      for (std::size_t i = 0; i < received.size(); ++i) average[i] = bf16_value(received[i]);
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}
};

constexpr Parameter kParameters[] = {
    {"precision", Unit::word, "fp32|bf16", "fp32", "elements on the wire, summed in that precision"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  if (parameters.word("precision") == "bf16") return std::make_unique<DenseBf16>();
  return std::make_unique<DenseFp32>();
}

}  // namespace

const Entry<MakeCompressor> kNoneMethod{"none", "sends the gradient as it is, fp32 or bf16; summed in flight",
                                        "bf16 as PyTorch's bf16_compress_hook: cast, divide by N, sum",
                                        kParameters, make};

}  // namespace traincast
