// Ok-Topk: entries go to the owner of their region, owners gather what exceeds a common threshold; each
// learner sends less than 6k(N−1)/N words.
#include <algorithm>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {

namespace {

float kth_magnitude(std::span<const float> values, std::uint64_t k) {
  if (k == 0 || values.empty()) return 0;
  float least = std::numeric_limits<float>::infinity();
  for (Index index : largest(values, k)) least = std::min(least, std::fabs(values[index]));
  return least;
}

class OkTopK final : public Compressor {
 public:
  OkTopK(double density, std::uint64_t threshold_period, std::uint64_t region_period, float adaptation)
      : density_(density),
        threshold_period_(threshold_period),
        region_period_(region_period),
        adaptation_(adaptation) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, 1}; }

  /// Li and Hoefler 2022, Algorithms 1 and 2.
  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel(), k = share_of(density_, numel);
    const auto wanted = static_cast<double>(k);
    const std::uint32_t learners = group.size();
    // Zero is the threshold of fewer than k entries that are not, and would let everything through when
    // others come: where it is the common one, all know it and begin anew, where a learner's, it alone.
    const bool exact =
        step.index % threshold_period_ == 0 || local_threshold_.size() != learners || global_threshold_ == 0;
    local_threshold_.resize(learners, 0.0f);
    std::vector<float> vector(numel);
    std::vector<SparseVector> own(learners);

    // Local entries by a threshold that is exact every so many steps.
    group.phase(0);
    const bool some_exact = exact || std::ranges::count(local_threshold_, 0.0f) > 0;
    const Work choosing =
        some_exact ? Work{Primitive::topk, {numel, k, 0}} : Work{Primitive::threshold_scan, {numel, k, 0}};
    group.each(Stage::encode, {choosing}, [&](LearnerId learner) {
      source.read(learner, vector);
      float& threshold = local_threshold_[learner];
      const bool anew = exact || threshold == 0;
      if (anew) threshold = kth_magnitude(vector, k);
      own[learner] = beyond(vector, threshold);
      if (!anew) adapt(threshold, own[learner].indices.size(), 2 * wanted / 3, 5 * wanted / 4);
    });
    if (step.index % region_period_ == 0 || borders_.size() != learners + 1) set_borders(own, numel);

    // Each entry to the owner of its region.
    std::vector<Message> to_owners;
    std::vector<Bytes> sent;
    std::uint64_t entries = 0;
    for (const SparseVector& all_of : own) {
      entries += all_of.indices.size();
      for (Message& message : by_region(all_of, numel)) {
        sent.push_back(message.size());
        to_owners.push_back(std::move(message));
      }
    }
    group.all_to_all(std::move(sent), entries * sizeof(float));

    // Owners add up, and gather what exceeds the common threshold; exact every so many steps, from all sums.
    std::vector<float> sums(numel, 0.0f);
    group.phase(1);
    const std::uint64_t part = (numel + learners - 1) / learners, share = (k + learners - 1) / learners;
    group.once(Stage::encode, {{Primitive::scatter, {part, share, 0}, learners}}, [&] {
      for (const Message& message : to_owners) {
        const SparseVector arrived = read_sparse(message, numel, {}, {});
        for (std::size_t j = 0; j < arrived.indices.size(); ++j)
          sums[arrived.indices[j]] += arrived.values[j];
      }
    });
    if (exact) global_threshold_ = kth_magnitude(sums, k);
    std::vector<Message> regions = by_region(beyond(sums, exact ? 0.0f : global_threshold_), numel);
    const Work keeping{exact ? Primitive::topk : Primitive::threshold_scan, {part, share, 0}};
    regions = group.all_gather({keeping}, [&](LearnerId learner, Bytes& value_bytes) {
      value_bytes = regions[learner].size() / 2;
      return regions[learner];
    });

    group.phase(2);
    std::fill(average.begin(), average.end(), 0.0f);
    std::uint64_t applied = 0;
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}, {Primitive::scatter, {numel, k, 0}}},
               [&] {
                 for (const Message& region : regions) {
                   const SparseVector arrived = read_sparse(region, numel, {}, {});
                   for (std::size_t j = 0; j < arrived.indices.size(); ++j) {
                     if (std::fabs(arrived.values[j]) < global_threshold_) continue;
                     ++applied;
                     average[arrived.indices[j]] = arrived.values[j] / static_cast<float>(learners);
                   }
                 }
               });
    if (!exact) adapt(global_threshold_, applied, 2 * wanted / 3, 4 * wanted / 3);
    // The memory keeps whatever was not sent, or was sent and not applied.
    group.each(Stage::decode, {{Primitive::gather, {numel, k, 0}}}, [&](LearnerId learner) {
      SparseVector taken;
      for (std::size_t j = 0; j < own[learner].indices.size(); ++j) {
        Index index = own[learner].indices[j];
        if (!(std::fabs(sums[index]) >= global_threshold_) || sums[index] == 0) continue;
        taken.indices.push_back(index);
        taken.values.push_back(own[learner].values[j]);
      }
      contributions.kept(learner, taken.indices, taken.values, Selection::own);
    });
  }

  void save(Writer& writer) const override {
    writer.put_all(std::span<const float>(local_threshold_));
    writer.put(global_threshold_);
    writer.put_all(std::span<const Index>(borders_));
  }
  void load(Reader& reader) override {
    local_threshold_ = reader.get_all<float>();
    global_threshold_ = reader.get<float>();
    borders_ = reader.get_all<Index>();
  }

 private:
  /// Entries of at least this magnitude; zeros never.
  static SparseVector beyond(std::span<const float> values, float threshold) {
    SparseVector chosen;
    chosen.indices = at_least(values, std::max(threshold, std::numeric_limits<float>::denorm_min()));
    for (Index index : chosen.indices) chosen.values.push_back(values[index]);
    return chosen;
  }

  /// Between exact steps a threshold follows the number of entries that it leaves.
  void adapt(float& threshold, std::uint64_t count, double least, double most) const {
    if (static_cast<double>(count) > most) threshold *= 1 + adaptation_;
    if (static_cast<double>(count) < least) threshold /= 1 + adaptation_;
  }

  /// Regions of as many local entries each as possible: the mean over learners of where each one's quantiles
  /// lie.
  void set_borders(const std::vector<SparseVector>& own, std::uint64_t numel) {
    const std::size_t learners = own.size();
    borders_.assign(learners + 1, static_cast<Index>(numel));
    borders_[0] = 0;
    for (std::size_t region = 1; region < learners; ++region) {
      double sum = 0;
      for (const SparseVector& vector : own) {
        std::size_t place = vector.indices.size() * region / learners;
        sum += place < vector.indices.size() ? static_cast<double>(vector.indices[place])
                                             : static_cast<double>(numel * region / learners);
      }
      borders_[region] =
          std::max(borders_[region - 1], static_cast<Index>(sum / static_cast<double>(learners)));
    }
  }

  /// A message to the owner of each region.
  std::vector<Message> by_region(const SparseVector& entries, std::uint64_t numel) const {
    std::vector<Message> messages;
    std::size_t first = 0;
    for (std::size_t region = 0; region + 1 < borders_.size(); ++region) {
      auto end = std::lower_bound(entries.indices.begin(), entries.indices.end(), borders_[region + 1]);
      const std::size_t last = region + 2 == borders_.size()
                                   ? entries.indices.size()
                                   : static_cast<std::size_t>(end - entries.indices.begin());
      const std::size_t count = std::max(first, last) - first;
      messages.push_back(write_sparse(std::span(entries.indices).subspan(first, count),
                                      std::span(entries.values).subspan(first, count), numel, {}, false));
      first += count;
    }
    return messages;
  }

  double density_;
  std::uint64_t threshold_period_, region_period_;
  float adaptation_;
  std::vector<float> local_threshold_;
  float global_threshold_ = 0;
  std::vector<Index> borders_;  ///< region r holds indices from borders_[r] up to borders_[r + 1]
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that is aimed at"},
    {"threshold_period", Unit::count, "[1, 1000000]", "32", "steps between exact thresholds"},
    {"region_period", Unit::count, "[1, 1000000]", "64", "steps between new borders of the regions"},
    {"adaptation", Unit::ratio, "[0, 1]", "0.03",
     "between them: how far a threshold moves when it leaves far too many or too few (our choice)"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return std::make_unique<OkTopK>(parameters.number("density"),
                                  static_cast<std::uint64_t>(parameters.count("threshold_period")),
                                  static_cast<std::uint64_t>(parameters.count("region_period")),
                                  static_cast<float>(parameters.number("adaptation")));
}

}  // namespace

const Entry<MakeCompressor> kOkTopKMethod{
    "oktopk", "entries to the owners of their regions, sums beyond a common threshold gathered",
    "Li and Hoefler 2022 (Ok-Topk, arXiv 2201.07598), Algorithms 1 and 2", kParameters, make};

}  // namespace traincast
