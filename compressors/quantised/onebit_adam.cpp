// The compressed all-reduce of 1-bit Adam: the momentum's signs at one scale a learner, averaged by the
// owners of its chunks, which compress again; both keep what they did not send. Tang et al. 2021 (arXiv
// 2102.02888), as DeepSpeed codes it.
//
// What belongs to the optimiser is not here: Adam divides by the root of its variance, which every learner
// has alike (it follows from dense rounds, and is frozen with the first compressed one), so that nothing of
// it travels. What learners apply in place of the mean gradient is the momentum, in dense rounds too.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

struct ScaledSigns {
  Message signs;
  float scale = 0;
};

/// Elements with the zeros that fill them up to whole bytes of every chunk, as DeepSpeed pads: to a multiple
/// of N · lcm(8, N). They count in the scale, and make it smaller.
std::uint64_t padded_size(std::uint64_t numel, std::uint32_t learners) {
  const std::uint64_t n = learners, unit = n * std::lcm(std::uint64_t{8}, n);
  return (numel + unit - 1) / unit * unit;
}

/// Signs of a padded vector, a bit each, eight to a byte from the highest on; set where it is not negative.
Message pack_signs(std::span<const float> values) {
  Message message(values.size() / 8, std::byte{0});
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] >= 0) message[i / 8] |= std::byte(0x80 >> (i % 8));
  return message;
}

void add_signs(std::span<const std::byte> message, float scale, std::span<float> into) {
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] += (message[i / 8] & std::byte(0x80 >> (i % 8))) != std::byte{0} ? scale : -scale;
}

/// Signs at the scale ‖x‖₂/√D; x becomes what that leaves out.
ScaledSigns compress(std::span<float> values) {
  double square = 0;
  for (float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  const double size = static_cast<double>(std::max<std::size_t>(values.size(), 1));
  ScaledSigns sent{pack_signs(values), static_cast<float>(std::sqrt(square / size))};
  for (float& value : values) value -= value >= 0 ? sent.scale : -sent.scale;
  return sent;
}

class OneBitAdam final : public Compressor {
 public:
  OneBitAdam(std::uint64_t warmup, float beta) : warmup_(warmup), beta_(beta) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_depend_on_values() const override { return false; }
  ErrorRule error_rule() const override { return {}; }
  bool remembers() const override { return true; }
  bool averages_contributions() const override { return false; }
  std::span<const float> memory(LearnerId learner) const override {
    if (learner >= errors_.size()) return {};
    return std::span(errors_[learner]).first(momentum_.size());
  }

  std::uint32_t regime(const Step& step) const override { return step.index < warmup_ ? 0 : 1; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    if (momentum_.empty()) momentum_.assign(numel, 0.0f);
    if (momentum_.size() != numel)
      throw InputError("saved momentum of 1-bit Adam holds " + std::to_string(momentum_.size()) +
                       " values, not " + std::to_string(numel));
    if (regime(step) == 0)
      average_gradients(source, group, contributions, average);
    else
      average_momenta(numel, source, group, contributions);
    std::copy(momentum_.begin(), momentum_.end(), average.begin());
  }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(momentum_));
    writer.put<std::uint64_t>(errors_.size());
    for (const auto& error : errors_) writer.put_all(std::span<const float>(error));
    writer.put_all(std::span<const float>(server_errors_));
  }
  void load(Reader& reader) override {
    momentum_ = reader.get_all<float>();
    errors_.clear();
    for (auto learners = reader.get<std::uint64_t>(); learners > 0; --learners)
      errors_.push_back(reader.get_all<float>());
    server_errors_ = reader.get_all<float>();
  }

 private:
  /// Warm-up: the mean gradient is dense, and so is the momentum of it.
  void average_gradients(const GradientSource& source, Group& group, Contributions& contributions,
                         std::span<float> average) {
    group.phase(0);
    group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      contributions.kept_all(learner);
    });
    take_mean(average, group.size());
    group.phase(4);
    group.once(Stage::decode, {{Primitive::elementwise, {average.size(), 0, 0}}}, [&] {
      for (std::size_t i = 0; i < average.size(); ++i)
        momentum_[i] = beta_ * momentum_[i] + (1 - beta_) * average[i];
    });
  }

  /// Each learner moves the common momentum by its own gradient; the compressed average becomes the common
  /// one.
  void average_momenta(std::uint64_t numel, const GradientSource& source, Group& group,
                       Contributions& contributions) {
    const std::uint32_t learners = group.size();
    const std::uint64_t padded = padded_size(numel, learners), chunk = padded / learners;
    errors_.resize(learners);
    for (auto& error : errors_) error.resize(padded, 0.0f);
    server_errors_.resize(padded, 0.0f);
    std::vector<ScaledSigns> sent(learners), answers(learners);
    std::vector<float> gradient(numel), own;

    group.phase(0);
    group.each(Stage::encode,
               {{Primitive::elementwise, {numel, 0, 0}, 3},
                {Primitive::reduction, {padded, 0, 0}},
                {Primitive::bit_pack, {padded, 1, 0}}},
               [&](LearnerId learner) {
                 source.read(learner, gradient);
                 std::span<float> x = errors_[learner];
                 for (std::uint64_t i = 0; i < numel; ++i)
                   x[i] += beta_ * momentum_[i] + (1 - beta_) * gradient[i];
                 sent[learner] = compress(x);
                 if (!contributions.wants_dense()) return;
                 own.assign(padded, 0.0f);
                 add_signs(sent[learner].signs, sent[learner].scale, own);
                 contributions.kept(learner, std::span(own).first(numel));
               });
    group.all_to_all({chunk / 8}, learners * sent[0].signs.size());

    group.phase(1);
    gather_scales(group, sent);

    group.phase(2);
    std::vector<Work> serving = {{Primitive::bit_pack, {chunk, 1, 0}, learners + 1},
                                 {Primitive::reduction, {chunk, 0, 0}}};
    group.all_gather(serving, [&](LearnerId owner, Bytes& value_bytes) {
      std::span<float> y = std::span(server_errors_).subspan(owner * chunk, chunk);
      std::vector<float> mean(chunk, 0.0f);
      for (const ScaledSigns& message : sent)
        add_signs(std::span(message.signs).subspan(owner * chunk / 8, chunk / 8), message.scale, mean);
      take_mean(mean, learners);
      for (std::size_t i = 0; i < chunk; ++i) y[i] += mean[i];
      answers[owner] = compress(y);
      value_bytes = answers[owner].signs.size();
      return answers[owner].signs;
    });

    group.phase(3);
    gather_scales(group, answers);

    group.phase(4);
    group.once(Stage::decode, {{Primitive::bit_pack, {padded, 1, 0}}}, [&] {
      std::vector<float> all(padded, 0.0f);
      for (std::uint32_t owner = 0; owner < learners; ++owner)
        add_signs(answers[owner].signs, answers[owner].scale, std::span(all).subspan(owner * chunk, chunk));
      std::copy_n(all.begin(), numel, momentum_.begin());
    });
  }

  static void gather_scales(Group& group, const std::vector<ScaledSigns>& messages) {
    group.all_gather({}, [&](LearnerId learner, Bytes&) {
      Message message;
      append(message, messages[learner].scale);
      return message;
    });
  }

  std::uint64_t warmup_;
  float beta_;
  std::vector<float> momentum_;             // the same at every learner
  std::vector<std::vector<float>> errors_;  // by learner, padded
  std::vector<float> server_errors_;        // of the chunks' owners, one behind the other
};

constexpr Parameter kParameters[] = {
    {"warmup", Unit::count, "[0, 1000000000]", "0",
     "steps, from the first captured one on, whose gradients are averaged dense (DeepSpeed's freeze_step)"},
    {"beta1", Unit::ratio, "[0, 1)", "0.9", "m ← beta1 · m + (1 − beta1) · g"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return std::make_unique<OneBitAdam>(static_cast<std::uint64_t>(parameters.count("warmup")),
                                      static_cast<float>(parameters.number("beta1")));
}

}  // namespace

const Entry<MakeCompressor> kOneBitAdamMethod{
    "onebit_adam",
    "signs of the momentum at one scale, averaged and compressed again by chunk owners; error feedback on "
    "both",
    "Tang et al. 2021 (1-bit Adam, arXiv 2102.02888), Algorithm 1; DeepSpeed's compressed_allreduce",
    kParameters, make};

}  // namespace traincast
