// GradiVeQ: slices of a layer's gradient are sent as coefficients in a basis that all learners share, learned
// from the slices of earlier, uncompressed steps. Yu et al. 2018 (arXiv 1811.03617).
#include <Eigen/Core>
#include <algorithm>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/symmetric_eigen.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Steps repeat in cycles: `training` dense ones, whose aggregated gradients the principal components are
/// taken of, then `compressed` ones. What remains of a tensor behind its last whole slice goes dense, and so
/// do tensors without one. The paper centres slices before it compresses; here the components are those of
/// the second moments, so that sums of coefficients are coefficients of sums without a mean beside them
/// (inferred).
class GradiVeQ final : public Compressor {
 public:
  struct Settings {
    std::uint64_t slice, rank, training, compressed;
    bool broadcast;
  };
  explicit GradiVeQ(const Settings& settings) : settings_(settings) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_depend_on_values() const override { return false; }
  ErrorRule error_rule() const override { return {}; }

  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t place = round_++ % (settings_.training + settings_.compressed);
    expect_state(place, unit);
    if (place < settings_.training)
      train(place, unit, source, group, contributions, average);
    else
      send_coefficients(unit, source, group, contributions, average);
  }

  void save(Writer& writer) const override {
    writer.put(round_);
    writer.put_all(std::span<const double>(moments_));
    writer.put_all(std::span<const float>(basis_));
  }
  void load(Reader& reader) override {
    round_ = reader.get<std::uint64_t>();
    moments_ = reader.get_all<double>();
    basis_ = reader.get_all<float>();
  }

 private:
  /// What a saved state must hold where it is used: moments while training goes on, then the basis.
  void expect_state(std::uint64_t place, const Bucket& unit) const {
    if (unit.numel() < settings_.slice || place == 0) return;
    const bool training = place < settings_.training;
    const std::uint64_t held = training ? moments_.size() : basis_.size();
    const std::uint64_t due = settings_.slice * (training ? settings_.slice : settings_.rank);
    if (held != due)
      throw InputError("saved state of GradiVeQ holds " + std::to_string(held) +
                       (training ? " moments, not " : " values of a basis, not ") + std::to_string(due));
  }

  /// All learners hold the same sum, so that what they learn from it is the same too.
  void train(std::uint64_t place, const Bucket& unit, const GradientSource& source, Group& group,
             Contributions& contributions, std::span<float> average) {
    group.phase(0);
    group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, addend);
      contributions.kept_all(learner);
    });
    take_mean(average, group.size());
    group.phase(2);
    group.once(Stage::decode, {}, [] {});  // every step has as many phases
    const std::uint64_t slices = unit.numel() / settings_.slice;
    if (slices == 0) return;

    group.phase(1);
    const bool last = place + 1 == settings_.training;
    std::vector<Work> work = {{Primitive::gemm, {settings_.slice, settings_.slice, slices}}};
    if (last) work.push_back({Primitive::svd, {settings_.slice, settings_.slice, 0}});
    auto learn = [&] {
      add_moments(average, slices, place == 0);
      if (last) find_basis();
    };
    if (!settings_.broadcast) return group.once(Stage::encode, work, learn);
    group.at(0, Stage::encode, work, learn);
    if (last) group.broadcast(0, sizeof(float) * basis_.size());
  }

  void send_coefficients(const Bucket& unit, const GradientSource& source, Group& group,
                         Contributions& contributions, std::span<float> average) {
    const std::uint64_t numel = unit.numel(), slice = settings_.slice, slices = numel / slice;
    const std::uint64_t rank = settings_.rank, tail = numel - slices * slice;
    std::vector<float> vector(numel), sum(slices * rank + tail), own(numel);
    auto matrix = [&](auto* values, std::uint64_t columns) {
      using Value = std::remove_pointer_t<decltype(values)>;
      using Type = std::conditional_t<std::is_const_v<Value>, const Matrix, Matrix>;
      return Eigen::Map<Type>(values, static_cast<Eigen::Index>(slices), static_cast<Eigen::Index>(columns));
    };
    const Eigen::Map<const Matrix> basis(basis_.data(), static_cast<Eigen::Index>(slices > 0 ? slice : 0),
                                         static_cast<Eigen::Index>(rank));
    auto expand_into = [&](const float* coefficients, std::span<float> into) {
      if (slices > 0) matrix(into.data(), slice).noalias() = matrix(coefficients, rank) * basis.transpose();
      std::copy_n(coefficients + slices * rank, tail, into.data() + slices * slice);
    };

    group.phase(0);
    std::vector<Work> encoding, decoding;
    if (slices > 0) encoding.push_back({Primitive::gemm, {slices, rank, slice}});
    if (slices > 0) decoding.push_back({Primitive::gemm, {slices, slice, rank}});
    group.all_reduce(Element::fp32, sum, encoding, [&](LearnerId learner, std::span<float> addend) {
      source.read(learner, vector);
      if (slices > 0)
        matrix(addend.data(), rank).noalias() =
            matrix(static_cast<const float*>(vector.data()), slice) * basis;
      std::copy_n(vector.data() + slices * slice, tail, addend.data() + slices * rank);
      if (!contributions.wants_dense()) return;
      expand_into(addend.data(), own);
      contributions.kept(learner, own);
    });
    take_mean(sum, group.size());

    group.phase(2);
    group.once(Stage::decode, decoding, [&] { expand_into(sum.data(), average); });
  }

  void add_moments(std::span<const float> average, std::uint64_t slices, bool first) {
    if (first) moments_.assign(settings_.slice * settings_.slice, 0.0);
    const std::vector<double> own = gram({average.data(), slices, settings_.slice}, Side::q);
    for (std::size_t i = 0; i < own.size(); ++i) moments_[i] += own[i];
  }

  /// The eigenvectors of the largest second moments, as columns.
  void find_basis() {
    const SymmetricEigen eigen = symmetric_eigen(moments_, settings_.slice);
    basis_.resize(settings_.slice * settings_.rank);
    for (std::size_t c = 0; c < settings_.rank; ++c)
      for (std::size_t i = 0; i < settings_.slice; ++i)
        basis_[i * settings_.rank + c] = static_cast<float>(eigen.vector(c)[i]);
    moments_.clear();
  }

  Settings settings_;
  std::uint64_t round_ = 0;
  std::vector<double> moments_;  // slice × slice, while training
  std::vector<float> basis_;     // slice × rank
};

constexpr Parameter kParameters[] = {
    {"slice", Unit::count, "[2, 4096]", "512", "elements of a slice (the paper's K)"},
    {"rank", Unit::count, "[1, 4096]", "64", "coefficients that a slice is sent as (the paper's d)"},
    {"training", Unit::count, "[1, 1000000]", "1", "dense steps that begin a cycle (L_t)"},
    {"compressed", Unit::count, "[1, 1000000]", "100", "compressed steps that end it (L_c)"},
    {"basis", Unit::word, "broadcast|everywhere", "broadcast",
     "learner 0 finds the principal components and broadcasts them; or every learner finds the same ones"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  auto count = [&](const char* key) { return static_cast<std::uint64_t>(parameters.count(key)); };
  if (count("rank") > count("slice"))
    throw InputError("a slice of " + std::to_string(count("slice")) +
                     " elements has no more components than that, "
                     "got rank " +
                     std::to_string(count("rank")));
  return std::make_unique<GradiVeQ>(GradiVeQ::Settings{count("slice"), count("rank"), count("training"),
                                                       count("compressed"),
                                                       parameters.word("basis") == "broadcast"});
}

}  // namespace

const Entry<MakeCompressor> kGradiVeQMethod{
    "gradiveq", "slices as coefficients in principal components of earlier dense steps; summed in flight",
    "Yu et al. 2018 (GradiVeQ, arXiv 1811.03617), Algorithm 1; cycles, dense tails and second moments "
    "inferred",
    kParameters, make};

}  // namespace traincast
