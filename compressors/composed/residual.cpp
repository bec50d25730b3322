#include "compressors/composed/residual.hpp"

#include <algorithm>
#include <stdexcept>

#include "compressors/methods.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

constexpr unsigned kBehind = 8;  // phase in which the second method begins, for every tensor of a bucket

/// What learners keep, as dense vectors.
class Kept final : public Contributions {
 public:
  Kept(std::uint32_t learners, std::uint64_t numel)
      : values_(learners, std::vector<float>(numel, 0.0f)), all_(learners, false) {}

  void kept(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
            Selection) override {
    for (std::size_t j = 0; j < indices.size(); ++j) values_[learner][indices[j]] = values[j];
  }
  void kept(LearnerId learner, std::span<const float> dense) override {
    values_[learner].assign(dense.begin(), dense.end());
  }
  void kept_all(LearnerId learner) override { all_[learner] = true; }

  const std::vector<float>& of(LearnerId learner) const { return values_[learner]; }
  bool nothing_left() const { return std::find(all_.begin(), all_.end(), false) == all_.end(); }

 private:
  std::vector<std::vector<float>> values_;
  std::vector<bool> all_;
};

class Left final : public GradientSource {
 public:
  explicit Left(const std::vector<std::vector<float>>& values) : values_(values) {}
  void read(LearnerId learner, std::span<float> into) const override {
    std::copy(values_[learner].begin(), values_[learner].end(), into.begin());
  }

 private:
  const std::vector<std::vector<float>>& values_;
};

class Residual final : public Compressor {
 public:
  Residual(std::unique_ptr<Compressor> first, std::unique_ptr<Compressor> second)
      : first_(std::move(first)), second_(std::move(second)) {
    if (first_->coupling() != second_->coupling() || first_->remembers() || second_->remembers())
      throw std::logic_error("these methods cannot stand one behind the other");
  }

  Coupling coupling() const override { return first_->coupling(); }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, 1}; }
  bool sizes_follow_from_shape() const override {
    return first_->sizes_follow_from_shape() && second_->sizes_follow_from_shape();
  }
  void refuse_learners(std::uint32_t learners) const override {
    first_->refuse_learners(learners);
    second_->refuse_learners(learners);
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = average.size();
    Kept first(group.size(), numel), second(group.size(), numel);
    first_->aggregate(step, unit, source, group, first, average);
    if (first.nothing_left()) {
      for (LearnerId learner = 0; learner < group.size(); ++learner) contributions.kept_all(learner);
      return;
    }
    std::vector<std::vector<float>> left(group.size(), std::vector<float>(numel));
    for (LearnerId learner = 0; learner < group.size(); ++learner) source.read(learner, left[learner]);

    Group behind = group.inner(group.size(), group.stands_for());
    behind.phase(0);
    behind.each(Stage::encode, {{Primitive::elementwise, {numel, 0, 0}}}, [&](LearnerId learner) {
      for (std::size_t i = 0; i < numel; ++i) left[learner][i] -= first.of(learner)[i];
    });
    std::vector<float> more(numel);
    second_->aggregate(step, unit, Left(left), behind, second, more);
    group.append(kBehind, behind);
    for (std::size_t i = 0; i < numel; ++i) average[i] += more[i];

    if (!contributions.wants_dense()) return;
    for (LearnerId learner = 0; learner < group.size(); ++learner) {
      std::vector<float>& own = left[learner];
      for (std::size_t i = 0; i < numel; ++i) own[i] = first.of(learner)[i] + second.of(learner)[i];
      contributions.kept(learner, own);
    }
  }

  void save(Writer& writer) const override {
    first_->save(writer);
    second_->save(writer);
  }
  void load(Reader& reader) override {
    first_->load(reader);
    second_->load(reader);
  }

 private:
  std::unique_ptr<Compressor> first_, second_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of the entries that is sent of what these leave"},
    kIndexParameter,
    kValueParameter,
};

std::unique_ptr<Compressor> made(const Entry<MakeCompressor>& entry, const Json& members,
                                 std::uint64_t seed) {
  return entry.make(
      read_parameters(JsonReader(members, std::string(entry.name)), entry.name, entry.parameters), seed);
}

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  Json low_rank, sparse;
  low_rank["name"] = kPowerSgdMethod.name;
  low_rank["rank"] = parameters.count("rank");
  sparse["name"] = kTopKMethod.name;
  sparse["density"] = parameters.number("density");
  sparse["index"] = parameters.word("index");
  sparse["value"] = parameters.word("value");
  return make_residual(made(kPowerSgdMethod, low_rank, seed), made(kTopKMethod, sparse, seed));
}

}  // namespace

std::unique_ptr<Compressor> make_residual(std::unique_ptr<Compressor> first,
                                          std::unique_ptr<Compressor> second) {
  return std::make_unique<Residual>(std::move(first), std::move(second));
}

const Entry<MakeCompressor> kPowerSgdTopKMethod{
    "powersgd_topk", "PowerSGD, then each learner's largest entries of what it left; local error feedback",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727) and Stich et al. 2018 (Mem-SGD, arXiv 1809.07599), one "
    "behind the other",
    kParameters, make};

}  // namespace traincast
