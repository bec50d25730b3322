// Deep gradient compression: momentum correction, factor masking, local clipping, warm-up.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/portable_math.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/dgc.hpp"
#include "compressors/sparse/random_places.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

double dgc_density(const DgcWarmUp& warm_up, double density, double epoch) {
  auto begun = static_cast<std::uint64_t>(std::max(0.0, epoch)) + 1;
  std::uint64_t last = warm_up.as_coded ? warm_up.epochs + 1 : warm_up.epochs;
  if (begun >= last || density >= 1) return density;
  return std::max(
      density, portable_exp(portable_log(density) * static_cast<double>(begun) / static_cast<double>(last)));
}

// The authors' code: a sample at equal strides from a random start, its top-k, then up to ten corrections.
std::vector<Index> sampled_largest(std::span<const float> values, std::uint64_t k, double sample_share,
                                   const Draws& draws) {
  const std::uint64_t numel = values.size();
  if (k >= numel || numel == 0) return largest(values, k);
  double density = static_cast<double>(k) / static_cast<double>(numel);
  auto wanted = static_cast<std::uint64_t>(
      std::max(std::ceil(static_cast<double>(numel) * sample_share), std::ceil(2 / density)));
  if (wanted >= numel) return largest(values, k);
  std::uint64_t stride = (numel + 32 * wanted - 1) / (32 * wanted) * 32 + 1;
  while (numel / stride < wanted) stride -= 8;  // down to 1, where all are seen
  std::vector<float> sample;
  for (std::uint64_t place = draw_below(draws, 0, stride); place < numel; place += stride)
    sample.push_back(values[place]);
  auto in_sample = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(density * static_cast<double>(numel / stride))));
  float threshold = HUGE_VALF;
  for (Index place : largest(sample, in_sample)) threshold = std::min(threshold, std::fabs(sample[place]));

  std::vector<Index> chosen;
  for (int correction = 0; correction < 10; ++correction) {
    chosen = at_least(values, std::max(threshold, std::numeric_limits<float>::denorm_min()));
    auto count = static_cast<double>(chosen.size());
    if (count > 1.3 * static_cast<double>(k)) break;  // of these, exactly the largest
    if (count >= 0.8 * static_cast<double>(k)) break;
    threshold *= 0.8f;
  }
  if (static_cast<double>(chosen.size()) > 1.3 * static_cast<double>(k)) {
    std::vector<float> over(chosen.size());
    for (std::size_t j = 0; j < chosen.size(); ++j) over[j] = values[chosen[j]];
    std::vector<Index> exact;
    for (Index place : largest(over, k)) exact.push_back(chosen[place]);
    return exact;
  }
  if (chosen.size() > k) chosen.resize(k);
  return chosen;
}

namespace {

struct Settings {
  double density = 0;
  DgcWarmUp warm_up;
  float momentum = 0;
  bool nesterov = false, masks = true, vectors_dense = true;
  double clip = 0, sample_share = 0;
  SparseFormat format;
};

class Dgc final : public Compressor {
 public:
  Dgc(const Settings& settings, std::uint64_t seed) : settings_(settings), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_depend_on_values() const override {
    return settings_.sample_share > 0 || !fixed_size(settings_.format);
  }
  ErrorRule error_rule() const override { return {}; }
  bool remembers() const override { return true; }
  bool needs_gradient_norms() const override { return settings_.clip > 0; }
  /// Epochs of the warm-up, then the rest.
  std::uint32_t regime(const Step& step) const override {
    std::uint64_t last = settings_.warm_up.epochs + (settings_.warm_up.as_coded ? 1 : 0);
    return static_cast<std::uint32_t>(
        std::min(static_cast<double>(last), std::max(0.0, std::floor(step.epoch))));
  }
  std::span<const float> memory(LearnerId learner) const override {
    return learner < accumulated_.size() ? std::span<const float>(accumulated_[learner])
                                         : std::span<const float>();
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    momentum_.resize(group.size(), std::vector<float>(numel, 0.0f));
    bool is_vector = unit.tensors.size() == 1 && unit.tensors[0].shape.size() <= 1;
    if (is_vector && settings_.vectors_dense) return send_whole(step, source, group, contributions, average);
    accumulated_.resize(group.size(), std::vector<float>(numel, 0.0f));

    const UnitDraws draws(seed_, step.index, unit.id);
    const double density = dgc_density(settings_.warm_up, settings_.density, step.epoch);
    const auto k =
        std::min(numel, static_cast<std::uint64_t>(std::ceil(density * static_cast<double>(numel) - 1e-9)));
    std::vector<float> gradient(numel);
    group.phase(0);
    const Work choosing = settings_.sample_share > 0 ? Work{Primitive::threshold_scan, {numel, k, 0}}
                                                     : Work{Primitive::topk, {numel, k, 0}};
    const Work masking{Primitive::scatter, {numel, k, 0}, settings_.masks ? 2u : 1u};
    auto messages =
        group.all_gather({{Primitive::elementwise, {numel, 0, 0}, 2}, choosing, masking},
                         [&](LearnerId learner, Bytes& value_bytes) {
                           source.read(learner, gradient);
                           clip(step, learner, gradient);
                           auto &u = momentum_[learner], &v = accumulated_[learner];
                           const float m = settings_.momentum;
                           auto accumulate = [&](std::size_t first, std::size_t count) {
                             if (settings_.nesterov)
                               for (std::size_t i = first; i < first + count; ++i) {
                                 u[i] = (u[i] + gradient[i]) * m;
                                 v[i] += u[i] + gradient[i];
                               }
                             else
                               for (std::size_t i = first; i < first + count; ++i) {
                                 u[i] = m * u[i] + gradient[i];
                                 v[i] += u[i];
                               }
                           };
                           auto accumulated = [&](std::size_t i) {
                             if (settings_.nesterov) return v[i] + ((u[i] + gradient[i]) * m + gradient[i]);
                             return v[i] + (m * u[i] + gradient[i]);
                           };
                           std::vector<Index> indices;
                           if (settings_.sample_share > 0) {
                             accumulate(0, numel);
                             indices = sampled_largest(v, k, settings_.sample_share, draws.own(learner));
                           } else {
                             indices = largest_made(v, k, accumulated, accumulate);
                           }
                           std::vector<float> values;
                           for (Index index : indices) values.push_back(v[index]);
                           Message message = write_sparse(indices, values, numel, settings_.format, false);
                           value_bytes = coded_value_bytes(settings_.format.value, values.size());
                           SparseVector sent = read_sparse(message, numel, settings_.format, {});
                           for (std::size_t j = 0; j < sent.indices.size(); ++j) {
                             v[sent.indices[j]] -= sent.values[j];
                             if (settings_.masks) u[sent.indices[j]] = 0;
                           }
                           contributions.kept(learner, sent.indices, sent.values, Selection::own);
                           return message;
                         });

    group.phase(2);
    const Work adding{Primitive::scatter, {numel, k, 0}, group.stands_for()};
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}, adding}, [&] {
      std::fill(average.begin(), average.end(), 0.0f);
      for (const Message& message : messages) {
        SparseVector sent = read_sparse(message, numel, settings_.format, {});
        for (std::size_t j = 0; j < sent.indices.size(); ++j) average[sent.indices[j]] += sent.values[j];
      }
      take_mean(average, group.size());
    });
  }

  void save(Writer& writer) const override {
    for (const auto* vectors : {&momentum_, &accumulated_}) {
      writer.put<std::uint64_t>(vectors->size());
      for (const auto& vector : *vectors) writer.put_all(std::span<const float>(vector));
    }
  }
  void load(Reader& reader) override {
    for (auto* vectors : {&momentum_, &accumulated_}) {
      vectors->clear();
      for (auto count = reader.get<std::uint64_t>(); count > 0; --count)
        vectors->push_back(reader.get_all<float>());
    }
  }

 private:
  /// One-dimensional tensors: the momentum is applied here too, for the optimizer behind DGC has none.
  void send_whole(const Step& step, const GradientSource& source, Group& group, Contributions& contributions,
                  std::span<float> average) {
    group.phase(1);
    group.all_reduce(Element::fp32, average, {{Primitive::elementwise, {average.size(), 0, 0}}},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, addend);
                       clip(step, learner, addend);
                       auto& u = momentum_[learner];
                       const float m = settings_.momentum;
                       for (std::size_t i = 0; i < addend.size(); ++i) {
                         u[i] = settings_.nesterov ? (u[i] + addend[i]) * m : m * u[i] + addend[i];
                         addend[i] = settings_.nesterov ? u[i] + addend[i] : u[i];
                       }
                       contributions.kept(learner, addend);
                     });
    take_mean(average, group.size());
  }

  /// Lin et al. 2018, section 3.2 (local gradient clipping): the learner's whole gradient is cut to
  /// clip · N^(−1/2).
  void clip(const Step& step, LearnerId learner, std::span<float> gradient) const {
    if (settings_.clip <= 0) return;
    double limit = settings_.clip / std::sqrt(static_cast<double>(step.learners.size()));
    double norm = step.gradient_norms[learner];
    if (norm <= limit) return;
    for (float& value : gradient) value *= static_cast<float>(limit / norm);
  }

  Settings settings_;
  std::uint64_t seed_;
  std::vector<std::vector<float>> momentum_, accumulated_;  // by learner
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired,
     "share of a tensor's entries that is sent after the warm-up"},
    {"momentum", Unit::ratio, "[0, 1)", "0.9", "of the local momentum; the optimizer behind has none then"},
    {"nesterov", Unit::flag, "", "false", "Nesterov's momentum"},
    {"factor_masking", Unit::flag, "", "true", "the momentum of an entry that was sent becomes zero"},
    {"clip", Unit::ratio, "[0, inf)", "0",
     "norm of the mean gradient to which learners clip theirs, times 1/√N each; 0: not at all"},
    {"warmup_epochs", Unit::count, "[0, 1000]", "0", "epochs in which the density comes down"},
    {"warmup_schedule", Unit::word, "paper|code", "paper",
     "density^((e+1)/E) in epoch e (25 %, 6.25 %, … towards 0.1 % in five), or with E + 1, as the authors' "
     "code "
     "has it"},
    {"sample", Unit::ratio, "[0, 1)", "0",
     "share of the entries from which the threshold is estimated; 0: exact selection"},
    {"vectors", Unit::word, "dense|compressed", "dense", "how tensors of one dimension go"},
    kIndexParameter,
    kValueParameter,
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  Settings settings;
  settings.density = parameters.number("density");
  settings.momentum = static_cast<float>(parameters.number("momentum"));
  settings.nesterov = parameters.flag("nesterov");
  settings.masks = parameters.flag("factor_masking");
  settings.clip = parameters.number("clip");
  settings.warm_up = {static_cast<std::uint64_t>(parameters.count("warmup_epochs")),
                      parameters.word("warmup_schedule") == "code"};
  settings.sample_share = parameters.number("sample");
  settings.vectors_dense = parameters.word("vectors") == "dense";
  settings.format = sparse_format(parameters);
  return std::make_unique<Dgc>(settings, seed);
}

}  // namespace

const Entry<MakeCompressor> kDgcMethod{
    "dgc", "top-k with local momentum, factor masking, clipping and warm-up; gathered, vectors dense",
    "Lin et al. 2018 (Deep gradient compression, arXiv 1712.01887), Algorithm 1 and section 3", kParameters,
    make};

}  // namespace traincast
