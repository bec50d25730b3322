// ScaleCom: a leader that changes every step chooses the entries for all, so that their values can be summed
// in flight. Chen et al. 2020 (arXiv 2104.11125).
#include <algorithm>
#include <string>

#include "compressors/methods.hpp"
#include "compressors/sparse/index_message.hpp"
#include "compressors/sparse/select.hpp"

namespace traincast {

namespace {

enum class Choice { chunk, exact };

class ScaleCom final : public Compressor {
 public:
  ScaleCom(std::uint64_t rate, Choice choice, bool packed, float beta)
      : rate_(rate), choice_(choice), packed_(packed), beta_(beta) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, beta_}; }

  /// Chen et al. 2020, Algorithm 1, with the cyclic local top-k of eq. 4: learner t mod N leads in step t.
  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel(), k = entries(numel);
    const auto leader = static_cast<LearnerId>(step.index % group.size());
    const Work packing{Primitive::elementwise, {k, 0, 0}};
    std::vector<float> vector(numel);

    // All learners add their memories while the leader does; only it goes on to choose.
    group.phase(0);
    group.each(Stage::encode, {}, [&](LearnerId learner) { source.read(learner, vector); });
    std::vector<Work> choosing = {choice_ == Choice::chunk ? Work{Primitive::chunk_top1, {numel, rate_, 0}}
                                                           : Work{Primitive::topk, {numel, k, 0}}};
    if (packed_) choosing.push_back(packing);
    Message message;
    group.at(leader, Stage::encode, choosing, [&] {
      source.read(leader, vector);
      auto chosen = choice_ == Choice::chunk ? largest_by_chunk(vector, rate_) : largest(vector, k);
      message = packed_ ? packed_indices(chosen, rate_) : plain_indices(chosen);
    });
    group.broadcast(leader, message.size());

    group.phase(1);
    std::vector<Index> indices;
    group.once(Stage::encode, packed_ ? std::vector<Work>{packing} : std::vector<Work>{}, [&] {
      indices = packed_ ? read_packed_indices(message, rate_, numel) : read_plain_indices(message, k, numel);
    });
    std::vector<float> sum(k);
    group.all_reduce(Element::fp32, sum, {{Primitive::gather, {numel, k, 0}}},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, vector);
                       for (std::size_t j = 0; j < k; ++j) addend[j] = vector[indices[j]];
                       contributions.kept(learner, indices, addend, Selection::shared);
                     });

    group.phase(2);
    group.once(Stage::decode, {{Primitive::scatter, {numel, k, 0}}}, [&] {
      std::fill(average.begin(), average.end(), 0.0f);
      auto learners = static_cast<float>(group.size());
      for (std::size_t j = 0; j < k; ++j) average[indices[j]] = sum[j] / learners;
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  std::uint64_t entries(std::uint64_t numel) const {
    if (choice_ == Choice::chunk) return numel / rate_ + (numel % rate_ != 0);
    return share_of(1.0 / static_cast<double>(rate_), numel);
  }

  std::uint64_t rate_;
  Choice choice_;
  bool packed_;
  float beta_;
};

constexpr Parameter kParameters[] = {
    {"rate", Unit::count, "[1, 1000000000]", kRequired, "entries of a tensor for one that is sent"},
    {"selection", Unit::word, "chunk|exact", "chunk",
     "the leader's largest entry of each chunk of 'rate' entries, or its largest of the whole tensor"},
    {"index", Unit::word, "int32|packed", "int32",
     "indices on the wire: four bytes, or the place in the chunk in as few bits as it takes"},
    {"beta", Unit::ratio, "(0, 1]", "1", "low-pass filter of the error memory; 1 is plain error feedback"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  Choice choice = parameters.word("selection") == "chunk" ? Choice::chunk : Choice::exact;
  bool packed = parameters.word("index") == "packed";
  if (packed && choice == Choice::exact)
    throw InputError(
        "'index' is \"packed\", which needs one entry per chunk, but 'selection' is \"exact\"; allowed with "
        "it: \"int32\"");
  return std::make_unique<ScaleCom>(static_cast<std::uint64_t>(parameters.count("rate")), choice, packed,
                                    static_cast<float>(parameters.number("beta")));
}

}  // namespace

const Entry<MakeCompressor> kScaleComMethod{
    "scalecom", "one learner in turn chooses the entries, all send those; summed in flight",
    "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), Algorithm 1", kParameters, make};

}  // namespace traincast
