#include "compressors/sparse/sparse_summed.hpp"

#include "compressors/gathered.hpp"

namespace traincast {

namespace {

constexpr Bytes kEntryBytes = sizeof(Index) + sizeof(float);

SparseVector without_zeros(const Decoded& sent) {
  SparseVector vector;
  for (std::size_t j = 0; j < sent.indices.size(); ++j) {
    if (sent.values[j] == 0) continue;
    vector.indices.push_back(sent.indices[j]);
    vector.values.push_back(sent.values[j]);
  }
  return vector;
}

class SparseSummed final : public Compressor {
 public:
  SparseSummed(std::unique_ptr<Codec> codec, Coupling coupling, ErrorRule rule, std::uint64_t seed)
      : codec_(std::move(codec)), coupling_(coupling), rule_(rule), seed_(seed) {}

  Coupling coupling() const override { return coupling_; }
  ErrorRule error_rule() const override { return rule_; }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    const UnitDraws draws(seed_, step.index, unit.id);
    std::vector<float> vector(numel);
    group.phase(0);
    group.sparse_all_reduce(average, kEntryBytes, codec_->encode_work(numel), [&](LearnerId learner) {
      source.read(learner, vector);
      const KeyedDraws own = draws.own(learner);
      const Call call{unit, numel, step.index, learner, own, draws.shared()};
      Decoded sent = codec_->decode(codec_->encode(vector, call), call);
      report(contributions, learner, sent);
      return without_zeros(sent);
    });
    // What arrives is sparse, or dense where that is shorter; either way one pass writes the average.
    group.phase(1);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}},
               [&] { take_mean(average, group.size()); });
  }

  void save(Writer& writer) const override { codec_->save(writer); }
  void load(Reader& reader) override { codec_->load(reader); }

 private:
  std::unique_ptr<Codec> codec_;
  Coupling coupling_;
  ErrorRule rule_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Compressor> make_sparse_summed(std::unique_ptr<Codec> codec, Coupling coupling,
                                               ErrorRule rule, std::uint64_t seed) {
  return std::make_unique<SparseSummed>(std::move(codec), coupling, rule, seed);
}

}  // namespace traincast
