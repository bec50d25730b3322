#include "workloads/data/shards.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/portable_math.hpp"
#include "base/random.hpp"

namespace traincast {

namespace {

// Streams of the purpose "shuffle" beside the orders of epochs, which have the tensor 0.
constexpr std::uint32_t kOfTheData = 2, kProportions = 3, kDeal = 4;

void shuffle(std::vector<std::uint64_t>& all, RandomStream random) {
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
}

/// ln of a Gamma(α) variate, for any α > 0: Marsaglia and Tsang 2000, with their way below 1.
double log_gamma_variate(double alpha, RandomStream& random) {
  if (alpha < 1) return log_gamma_variate(alpha + 1, random) + portable_log(1 - random.uniform()) / alpha;
  double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x = random.normal(), v = 1 + c * x;
    if (v <= 0) continue;
    v = v * v * v;
    if (portable_log(1 - random.uniform()) < x * x / 2 + d - d * v + d * portable_log(v))
      return portable_log(d * v);
  }
}

constexpr Parameter kDirichlet[] = {{"alpha", Unit::ratio, "[0.001, 1000000]", kRequired,
                                     "small: few classes a learner; large: as in the data"}};
constexpr Parameter kClassShards[] = {
    {"classes", Unit::count, "[1, 1000000]", "2", "that a learner has samples of, at the most"}};
constexpr Entry<ShardRule::Kind> kShards[] = {
    {"iid", "without regard to classes", "", {}, ShardRule::Kind::iid},
    {"dirichlet", "classes in proportions drawn for each learner", "Hsu et al. 2019, section 3", kDirichlet,
     ShardRule::Kind::dirichlet},
    {"classes", "samples sorted by class and dealt out in pieces", "McMahan et al. 2017, section 3",
     kClassShards, ShardRule::Kind::classes},
};

std::uint64_t samples_to_deal(const Dataset& data, ShardRule rule, std::uint64_t needed, std::uint64_t each) {
  if (data.size(Split::train) != kEndless) return data.size(Split::train);
  if (rule.kind != ShardRule::Kind::classes) return needed;
  // Of every class less than a piece is left over: with so many more, whole pieces suffice.
  return needed + static_cast<std::uint64_t>(data.classes()) * (each / rule.classes);
}

/// In the order that they have; the list itself goes.
std::vector<std::vector<std::uint64_t>> by_class(const Dataset& data, std::vector<std::uint64_t> all) {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(data.classes()), 0);
  for (std::uint64_t index : all) ++counts[static_cast<std::size_t>(data.class_of(index))];
  std::vector<std::vector<std::uint64_t>> of_class(counts.size());
  for (std::size_t c = 0; c < counts.size(); ++c) of_class[c].reserve(counts[c]);
  for (std::uint64_t index : all) of_class[static_cast<std::size_t>(data.class_of(index))].push_back(index);
  return of_class;
}

}  // namespace

const Catalog<ShardRule::Kind>& shard_catalog() {
  static constexpr Catalog<ShardRule::Kind> catalog("shards", "way to shard", kShards);
  return catalog;
}

ShardRule read_shards(const JsonReader& at) {
  const auto& entry = shard_catalog().find(at);
  Parameters p = read_parameters(at, entry.name, entry.parameters);
  ShardRule rule{.kind = entry.make};
  if (entry.make == ShardRule::Kind::dirichlet) rule.alpha = p.number("alpha");
  if (entry.make == ShardRule::Kind::classes) rule.classes = static_cast<std::uint64_t>(p.count("classes"));
  return rule;
}

double Shards::bytes(const Dataset& data, ShardRule rule, std::uint32_t learners,
                     std::uint64_t samples_per_learner) {
  const bool iid = rule.kind == ShardRule::Kind::iid;
  if (iid && data.size(Split::train) == kEndless) return 0;
  // By class there are two lists of them at a time.
  return (iid ? 1.0 : 2.0) * sizeof(std::uint64_t) *
         static_cast<double>(
             samples_to_deal(data, rule, learners * samples_per_learner, samples_per_learner));
}

Shards::Shards(const Dataset& data, ShardRule rule, std::uint32_t learners, std::uint64_t samples_per_learner,
               std::uint64_t batch, std::uint64_t seed)
    : data_(data), each_(samples_per_learner), batch_(batch), seed_(seed) {
  assert(batch >= 1 && batch <= samples_per_learner);
  const std::uint64_t size = data.size(Split::train), needed = learners * each_;
  if (needed > size)
    throw InputError("the data have " + std::to_string(size) + " samples, and " + std::to_string(learners) +
                     " learners with samples_per_learner " + std::to_string(each_) + " take " +
                     std::to_string(needed) + "; take at most " + std::to_string(size / learners) +
                     " each (of text, a smaller stride gives more)");
  if (rule.kind == ShardRule::Kind::iid && size == kEndless) return;
  std::vector<std::uint64_t> all(samples_to_deal(data, rule, needed, each_));
  std::iota(all.begin(), all.end(), std::uint64_t{0});
  shuffle(all, RandomStream({.seed = seed, .purpose = Purpose::shuffle, .tensor = kOfTheData}));
  if (rule.kind == ShardRule::Kind::iid) {
    all.resize(needed);
    dealt_ = std::move(all);
    return;
  }
  if (data.classes() == 0)
    throw InputError(
        "shards by class need data whose samples have classes, and these have none: take \"iid\"");
  std::vector<std::vector<std::uint64_t>> of_class = by_class(data, std::move(all));
  dealt_.reserve(needed);
  if (rule.kind == ShardRule::Kind::dirichlet)
    deal_by_proportion(std::move(of_class), rule.alpha, learners);
  else
    deal_by_class(std::move(of_class), rule.classes, learners);
}

// A class that has run out is left out of those that follow, and the others keep their proportions.
void Shards::deal_by_proportion(std::vector<std::vector<std::uint64_t>> of_class, double alpha,
                                std::uint32_t learners) {
  std::uint64_t total = 0;
  for (const auto& samples : of_class) total += samples.size();
  std::vector<double> prior;
  for (const auto& samples : of_class)
    prior.push_back(static_cast<double>(samples.size()) / static_cast<double>(total));
  for (LearnerId learner = 0; learner < learners; ++learner) {
    RandomStream random(
        {.seed = seed_, .purpose = Purpose::shuffle, .learner = learner, .tensor = kProportions});
    std::vector<double> share(of_class.size(), 0.0), logs(of_class.size(), -INFINITY);
    for (std::size_t c = 0; c < share.size(); ++c)
      if (prior[c] > 0)
        logs[c] = log_gamma_variate(alpha * prior[c] * static_cast<double>(share.size()), random);
    double sum = 0;
    auto weigh = [&] {
      double best = -INFINITY;
      for (std::size_t c = 0; c < share.size(); ++c)
        if (!of_class[c].empty()) best = std::max(best, logs[c]);
      sum = 0;
      for (std::size_t c = 0; c < share.size(); ++c) {
        bool there = !of_class[c].empty() && logs[c] - best > -700;
        sum += share[c] = there ? portable_exp(logs[c] - best) : 0;
      }
    };
    weigh();
    for (std::uint64_t i = 0; i < each_; ++i) {
      double at = random.uniform() * sum;
      std::size_t chosen = 0;
      for (std::size_t c = 0; c < share.size(); ++c) {
        if (share[c] <= 0) continue;
        chosen = c;
        if ((at -= share[c]) < 0) break;
      }
      dealt_.push_back(of_class[chosen].back());
      of_class[chosen].pop_back();
      if (of_class[chosen].empty()) weigh();
    }
  }
}

// Samples of each class are cut into pieces; each learner gets as many at random as it may have classes.
void Shards::deal_by_class(std::vector<std::vector<std::uint64_t>> of_class, std::uint64_t classes,
                           std::uint32_t learners) {
  const std::uint64_t pieces = learners * classes, of_piece = each_ / classes;
  if (of_piece * classes != each_)
    throw InputError("shards by class cut samples_per_learner into equal pieces: " + std::to_string(each_) +
                     " is not a multiple of " + std::to_string(classes));
  auto pieces_of = [&](std::uint64_t samples_of_piece) {
    std::uint64_t sum = 0;
    for (const auto& samples : of_class) sum += samples.size() / samples_of_piece;
    return sum;
  };
  const std::uint64_t whole = pieces_of(of_piece);
  if (whole < pieces) {
    std::uint64_t smaller = of_piece - 1;
    while (smaller > 0 && pieces_of(smaller) < pieces) --smaller;
    throw InputError("shards of at most " + std::to_string(classes) +
                     (classes == 1 ? " class take " : " classes take ") + std::to_string(pieces) +
                     " pieces of " + std::to_string(of_piece) + " samples of one class, and the data have " +
                     std::to_string(whole) + "; take at most " + std::to_string(whole / classes) +
                     " learners" +
                     (smaller > 0 ? ", or samples_per_learner " + std::to_string(smaller * classes) : ""));
  }
  std::vector<std::uint64_t> first{0};  // piece of each class, and the end
  for (const auto& samples : of_class) first.push_back(first.back() + samples.size() / of_piece);
  std::vector<std::uint64_t> order(whole);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  shuffle(order, RandomStream({.seed = seed_, .purpose = Purpose::shuffle, .tensor = kDeal}));
  for (std::uint64_t i = 0; i < pieces; ++i) {
    const auto c = static_cast<std::size_t>(std::ranges::upper_bound(first, order[i]) - first.begin()) - 1;
    const auto piece = std::span(of_class[c]).subspan((order[i] - first[c]) * of_piece, of_piece);
    dealt_.insert(dealt_.end(), piece.begin(), piece.end());
  }
}

std::uint64_t Shards::sample(LearnerId learner, std::uint64_t place) const {
  std::uint64_t at = learner * each_ + place;
  return dealt_.empty() ? at : dealt_[at];
}

std::vector<std::uint64_t> Shards::sample_indices(LearnerId learner, std::uint64_t step) const {
  std::uint64_t steps_per_epoch = each_ / batch_;
  std::uint64_t epoch = step / steps_per_epoch, first = step % steps_per_epoch * batch_;
  std::vector<std::uint64_t> order(each_);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  RandomStream random({.seed = seed_, .purpose = Purpose::shuffle, .step = epoch, .learner = learner});
  // Fisher and Yates from the front, as far as this mini-batch reaches.
  for (std::uint64_t i = 0; i < first + batch_; ++i) std::swap(order[i], order[i + random.below(each_ - i)]);
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = first; i < first + batch_; ++i) indices.push_back(sample(learner, order[i]));
  return indices;
}

void Shards::fill(LearnerId learner, std::uint64_t step, Batch& into, std::uint32_t steps) const {
  into = {.samples = 0,
          .features = std::move(into.features),
          .numbers = std::move(into.numbers),
          .labels = std::move(into.labels),
          .step = step,
          .learner = learner};
  into.features.clear();
  into.numbers.clear();
  into.labels.clear();
  for (std::uint64_t s = step; s < step + steps; ++s)
    for (std::uint64_t index : sample_indices(learner, s)) data_.append(Split::train, index, into);
}

}  // namespace traincast
