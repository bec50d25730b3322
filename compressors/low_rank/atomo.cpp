// Spectral ATOMO: a matrix is a sum of atoms, its singular triplets; each is kept with a probability and
// scaled by its inverse. Wang et al. 2018 (arXiv 1806.04090).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "compressors/gathered.hpp"
#include "compressors/low_rank/atomo.hpp"
#include "compressors/low_rank/symmetric_eigen.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr const char* kKind = "ATOMO";

struct View {
  std::uint64_t rows = 0, columns = 0;
  std::uint64_t atoms() const { return std::min(rows, columns); }
  std::uint64_t atom_bytes() const { return sizeof(float) * (rows + columns + 1); }
};

/// As the authors' code shapes tensors, where the halves are whole: (s0·s1/2) × rest for kernels, s0 × s1 for
/// matrices and kernels of one element, n/2 × 2 for vectors. Else the first extents stay whole.
View view_of(const Bucket& unit) {
  const std::uint64_t numel = unit.numel();
  if (numel == 0) return {};
  auto halved = [numel](std::uint64_t rows) {
    return rows % 2 == 0 ? View{rows / 2, 2 * (numel / rows)} : View{rows, numel / rows};
  };
  if (unit.tensors.size() != 1) return halved(numel);
  const auto& shape = unit.tensors[0].shape;
  if (shape.size() < 2) return halved(numel);
  const auto first = static_cast<std::uint64_t>(shape[0]), second = static_cast<std::uint64_t>(shape[1]);
  if (first * second == numel) return {first, second};
  return halved(first * second);
}

// The singular triplets of a matrix, by the eigenvectors of its smaller Gram matrix. An atom's other vector
// is the matrix times that one, so that all atoms together are the matrix, to rounding.
class Triplets {
 public:
  explicit Triplets(MatrixView matrix)
      : matrix_(matrix),
        short_side_(matrix.rows <= matrix.columns ? Side::p : Side::q),
        eigen_(symmetric_eigen(gram(matrix, short_side_), std::min(matrix.rows, matrix.columns))) {
    for (double value : eigen_.values) sizes_.push_back(std::sqrt(std::max(value, 0.0)));
  }

  struct Atom {
    double size;
    std::vector<double> left, right;
  };
  std::span<const double> sizes() const { return sizes_; }
  Atom atom(std::size_t i) const {
    std::vector<double> own(eigen_.vector(i).begin(), eigen_.vector(i).end());
    std::vector<double> other(std::max(matrix_.rows, matrix_.columns), 0.0);
    const bool by_rows = short_side_ == Side::p;
    for (std::size_t r = 0; r < matrix_.rows; ++r)
      for (std::size_t c = 0; c < matrix_.columns; ++c) {
        const auto value = static_cast<double>(matrix_.data[r * matrix_.columns + c]);
        other[by_rows ? c : r] += value * own[by_rows ? r : c];
      }
    const double size = std::sqrt(std::inner_product(other.begin(), other.end(), other.begin(), 0.0));
    if (size > 0)
      for (double& entry : other) entry /= size;
    if (by_rows) return {size, std::move(own), std::move(other)};
    return {size, std::move(other), std::move(own)};
  }

 private:
  MatrixView matrix_;
  Side short_side_;
  SymmetricEigen eigen_;
  std::vector<double> sizes_;  // fall
};

// Of every kept atom: its value, then its left and its right vector.
class Atomo final : public Codec {
 public:
  Atomo(std::uint64_t rank, bool exactly) : rank_(rank), exactly_(exactly) {}

  bool size_follows_from_shape() const override { return exactly_; }
  bool unbiased() const override { return !exactly_; }

  Message encode(std::span<const float> values, const Call& call) override {
    Message message;
    const View view = view_of(call.unit);
    if (view.atoms() == 0) return message;
    const Triplets triplets({values.data(), view.rows, view.columns});
    const std::span<const double> singular = triplets.sizes();
    const std::vector<double> probabilities =
        exactly_ ? clipped_probabilities(singular, rank_) : water_filling(singular, rank_);
    std::vector<double> uniform(singular.size());
    for (std::size_t i = 0; i < uniform.size(); ++i) uniform[i] = call.own.at(i) * 0x1p-32;
    const std::vector<std::size_t> kept =
        exactly_ ? draw_exactly(probabilities, atoms_sent(view), uniform) : draw_each(probabilities, uniform);
    for (std::size_t i : kept) {
      const double p = probabilities[i];
      const Triplets::Atom atom = triplets.atom(i);
      append(message, static_cast<float>(p > 0 ? atom.size / p : 0.0));
      for (const std::vector<double>* vector : {&atom.left, &atom.right})
        for (double entry : *vector) append(message, static_cast<float>(entry));
    }
    return message;
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    const View view = view_of(call.unit);
    Decoded sent{true, {}, std::vector<float>(call.numel, 0.0f)};
    if (exactly_) expect_message_size(kKind, message, atoms_sent(view) * view.atom_bytes());
    if (view.atoms() == 0) {
      expect_message_size(kKind, message, 0);
      return sent;
    }
    const std::uint64_t atoms = message.size() / view.atom_bytes();
    if (message.size() % view.atom_bytes() != 0 || atoms > view.atoms())
      refuse_message(kKind, "is not made of at most " + std::to_string(view.atoms()) + " atoms of " +
                                std::to_string(view.atom_bytes()) + " bytes each");
    const auto floats = read_values<float>(message, 0, message.size() / sizeof(float));
    for (float value : floats)
      if (!std::isfinite(value)) refuse_message(kKind, "has no number where one is due");
    for (std::size_t atom = 0; atom < atoms; ++atom) {
      const float* size = floats.data() + atom * (view.rows + view.columns + 1);
      const float *left = size + 1, *right = left + view.rows;
      for (std::uint64_t i = 0; i < view.rows; ++i) {
        const float weight = *size * left[i];
        float* row = sent.values.data() + i * view.columns;
        for (std::uint64_t j = 0; j < view.columns; ++j) row[j] += weight * right[j];
      }
    }
    return sent;
  }

  Bytes value_bytes(const Message& message, const Call&) const override { return message.size(); }

  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return {{Primitive::svd, {numel, 1, 0}}};
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::gemm, {numel, 1, rank_}, learners}};
  }
  std::vector<Work> encode_work_of(const Bucket& unit) const override {
    const View view = view_of(unit);
    return {{Primitive::svd, {view.rows, view.columns, 0}}};
  }
  std::vector<Work> decode_work_of(const Bucket& unit, std::uint32_t learners) const override {
    const View view = view_of(unit);
    return {{Primitive::gemm, {view.rows, view.columns, atoms_sent(view)}, learners}};
  }

 private:
  std::uint64_t atoms_sent(const View& view) const { return std::min(rank_, view.atoms()); }

  std::uint64_t rank_;
  bool exactly_;
};

constexpr Parameter kParameters[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "atoms that are sent: expected, or exactly so many"},
    {"atoms", Unit::word, "expected|exactly", "expected",
     "each atom on its own, by the paper's probabilities (unbiased); or drawn until there are exactly "
     "`rank`, "
     "as the PowerSGD paper's comparison did (biased, messages of one size)"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto codec = std::make_unique<Atomo>(static_cast<std::uint64_t>(parameters.count("rank")),
                                       parameters.word("atoms") == "exactly");
  return make_gathered(std::move(codec), Coupling::tensor, {}, seed);
}

}  // namespace

std::vector<double> water_filling(std::span<const double> sizes, std::uint64_t budget) {
  std::vector<double> probabilities(sizes.size(), 0.0);
  // Sizes fall: rest[i] is what the atoms from i on add up to.
  std::vector<double> rest(sizes.size() + 1, 0.0);
  for (std::size_t i = sizes.size(); i-- > 0;) rest[i] = rest[i + 1] + sizes[i];
  std::size_t whole = 0;
  while (whole < sizes.size() && whole < budget &&
         static_cast<double>(budget - whole) * sizes[whole] >= rest[whole])
    ++whole;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) continue;
    probabilities[i] =
        i < whole ? 1 : std::min(1.0, static_cast<double>(budget - whole) * sizes[i] / rest[whole]);
  }
  return probabilities;
}

std::vector<double> clipped_probabilities(std::span<const double> sizes, std::uint64_t budget) {
  const double sum = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  std::vector<double> probabilities;
  for (double size : sizes)
    probabilities.push_back(sum > 0 ? std::min(1.0, static_cast<double>(budget) * size / sum) : 0.0);
  return probabilities;
}

std::vector<std::size_t> draw_each(std::span<const double> probabilities, std::span<const double> uniform) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    if (uniform[i] < probabilities[i]) kept.push_back(i);
  return kept;
}

// With odds o = p / (1 − p), a set of k independent draws that came out so is as likely as the product of its
// odds; E(i, k), the sum of these over all sets of k from place i on, says how likely place i is among them.
// Atoms of probability 1 are in every set; what is missing then is filled with the largest of probability 0.
std::vector<std::size_t> draw_exactly(std::span<const double> probabilities, std::uint64_t count,
                                      std::span<const double> uniform) {
  std::vector<std::size_t> kept, open, never;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    (probabilities[i] >= 1 ? kept : probabilities[i] > 0 ? open : never).push_back(i);
  kept.resize(std::min<std::size_t>(kept.size(), count));
  std::size_t wanted = std::min<std::size_t>(count - kept.size(), open.size());
  std::vector<std::vector<double>> sums(open.size() + 1, std::vector<double>(wanted + 1, 0.0));
  sums[open.size()][0] = 1;
  auto odds = [&](std::size_t i) { return probabilities[open[i]] / (1 - probabilities[open[i]]); };
  for (std::size_t i = open.size(); i-- > 0;) {
    double largest = 0;
    for (std::size_t k = 0; k <= wanted; ++k) {
      sums[i][k] = sums[i + 1][k] + (k > 0 ? odds(i) * sums[i + 1][k - 1] : 0);
      largest = std::max(largest, sums[i][k]);
    }
    for (double& sum : sums[i]) sum /= largest;  // only ratios within a row matter
  }
  for (std::size_t i = 0; i < open.size() && wanted > 0; ++i) {
    const double with = odds(i) * sums[i + 1][wanted - 1], without = sums[i + 1][wanted];
    const bool forced = open.size() - i == wanted;
    if (!forced && uniform[open[i]] * (with + without) >= with) continue;
    kept.push_back(open[i]);
    --wanted;
  }
  for (std::size_t i = 0; i < never.size() && kept.size() < count; ++i) kept.push_back(never[i]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

const Entry<MakeCompressor> kAtomoMethod{
    "atomo", "singular triplets drawn with probabilities and scaled by their inverses; gathered",
    "Wang et al. 2018 (ATOMO, arXiv 1806.04090), Algorithm 1 and Spectral-ATOMO; atoms exactly: Vogels et "
    "al. "
    "2019, Appendix G",
    kParameters, make};

}  // namespace traincast
