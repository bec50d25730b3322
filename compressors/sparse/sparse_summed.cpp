#include "compressors/sparse/sparse_summed.hpp"

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
  SparseSummed(std::unique_ptr<const Codec> codec, ErrorRule rule) : codec_(std::move(codec)), rule_(rule) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return rule_; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel();
    std::vector<float> vector(numel);
    group.phase(0);
    group.sparse_all_reduce(average, kEntryBytes, codec_->encode_work(numel), [&](LearnerId learner) {
      source.read(learner, vector);
      Decoded sent = codec_->decode(codec_->encode(vector), numel);
      contributions.kept(learner, sent.indices, sent.values, Selection::own);
      return without_zeros(sent);
    });
    // What arrives is sparse, or dense where that is shorter; either way one pass writes the average.
    group.phase(1);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}}, [&] {
      auto learners = static_cast<float>(group.size());
      for (float& value : average) value /= learners;
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  std::unique_ptr<const Codec> codec_;
  ErrorRule rule_;
};

}  // namespace

std::unique_ptr<Compressor> make_sparse_summed(std::unique_ptr<const Codec> codec, ErrorRule rule) {
  return std::make_unique<SparseSummed>(std::move(codec), rule);
}

}  // namespace traincast
