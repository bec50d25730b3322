// The sentences under the table: who wins where, from which bandwidth on, and what holds the others back. Of
// training in the loop to a target, who is there first; steps that lead nowhere win nothing.
#include <algorithm>
#include <cstdio>

#include "analysis/report.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::string times(double factor) {
  char text[32];
  std::snprintf(text, sizeof text, factor >= 10 ? "%.1f×" : "%.2f×", factor);
  return text;
}

// Nearer than this to the best dense run is neither won nor lost: codec times are measured.
constexpr double kEven = 0.005;

struct Part {
  const char* name;
  double seconds;
};

// What the method adds to computing, the largest first.
std::vector<Part> parts(const PointReport& p) {
  std::vector<Part> all{{"encoding", p.exposed_encode_seconds.mean},
                        {"communication that nothing hides", p.exposed_communication_seconds.mean},
                        {"decoding", p.exposed_decode_seconds.mean},
                        {"waiting for others", p.wait_seconds.mean}};
  std::stable_sort(all.begin(), all.end(),
                   [](const Part& a, const Part& b) { return a.seconds > b.seconds; });
  return all;
}

// Points of one place at the largest number of learners there.
std::vector<const PointReport*> largest_of(const Report& report, const std::string& place) {
  std::vector<const PointReport*> all;
  std::uint32_t most = 0;
  for (const PointReport& p : report.points)
    if (p.place == place) most = std::max(most, p.learners);
  for (const PointReport& p : report.points)
    if (p.place == place && p.learners == most) all.push_back(&p);
  return all;
}

// The same method at the same place with fewer learners, the fewest first.
std::vector<const PointReport*> smaller_ones(const Report& report, const PointReport& like) {
  std::vector<const PointReport*> all;
  for (const PointReport& p : report.points)
    if (p.place == like.place && p.label == like.label && p.learners > 1 && p.learners < like.learners)
      all.push_back(&p);
  std::sort(all.begin(), all.end(),
            [](const PointReport* a, const PointReport* b) { return a->learners < b->learners; });
  return all;
}

std::string what_limits(const Report& report, const PointReport& p) {
  std::vector<Part> all = parts(p);
  if (all.front().seconds <= 0) return "";
  std::string text =
      "limited by " + std::string(all.front().name) + " (" + format_seconds(all.front().seconds);
  if (all[1].seconds > 0.25 * all.front().seconds)
    text += ", then " + std::string(all[1].name) + ", " + format_seconds(all[1].seconds);
  text += ")";
  std::vector<const PointReport*> smaller = smaller_ones(report, p);
  if (smaller.empty()) return text;
  const PointReport& fewest = *smaller.front();
  // A summed message at most doubles, 2(N−1)/N; what grows more is gathered.
  if (fewest.bytes_sent_per_learner.mean > 0)
    if (double grown = p.bytes_sent_per_learner.mean / fewest.bytes_sent_per_learner.mean; grown > 2.05)
      text += "; its bytes a learner grow " + times(grown) + " from " + std::to_string(fewest.learners) +
              " to " + std::to_string(p.learners) + " learners, for messages are gathered";
  if (*p.speedup <= 1 + kEven)
    for (auto it = smaller.rbegin(); it != smaller.rend(); ++it)
      if ((*it)->speedup && *(*it)->speedup > 1 + kEven)
        return text + "; at " + std::to_string((*it)->learners) + " learners it gains " +
               times(*(*it)->speedup);
  return text;
}

std::string where_it_wins(const BreakEven& b) {
  if (b.wins.empty()) return "from " + format_bandwidth(b.low) + " to " + format_bandwidth(b.high);
  std::string text;
  for (auto [from, to] : b.wins) {
    if (!text.empty()) text += ", and ";
    if (from <= b.low && to >= b.high)
      text += "from " + format_bandwidth(b.low) + " to " + format_bandwidth(b.high);
    else if (from <= b.low)
      text += "below about " + format_bandwidth(to);
    else if (to >= b.high)
      text += "above about " + format_bandwidth(from);
    else
      text += "between about " + format_bandwidth(from) + " and " + format_bandwidth(to);
  }
  return text;
}

/// Whole gradients in every step. Without a compressor, other ways of training send less, or factors.
bool is_dense(const PointReport& p) {
  return p.compressor == "none" && (!p.training || p.training->algorithm == "sync_sgd");
}

std::string verb_of(double factor) {
  return factor > 1 + kEven ? "gains" : factor < 1 - kEven ? "loses" : "is even";
}

void judge_by_step(std::string head, std::vector<const PointReport*> group, const Report& report,
                   std::vector<std::string>& sentences) {
  std::erase_if(group, [](const PointReport* p) { return !p->speedup; });
  if (group.empty()) return;
  std::stable_sort(group.begin(), group.end(),
                   [](const PointReport* a, const PointReport* b) { return *a->speedup > *b->speedup; });
  const PointReport& best = *group.front();
  bool won = !is_dense(best) && *best.speedup > 1 + kEven;
  if (won)
    head += best.label + " wins, " + times(*best.speedup) + " the best dense run (" + best.best_dense + ")";
  else
    head += "no method beats the best dense run (" + best.best_dense + ")";
  sentences.push_back(head);
  for (const PointReport* p : group) {
    if ((p == &best && won) || is_dense(*p)) continue;
    sentences.push_back("  " + p->label + " " + verb_of(*p->speedup) + ", " + times(*p->speedup) + ": " +
                        what_limits(report, *p));
  }
}

/// The highest of all; 0 where nothing was trained to one.
double highest_target(const std::vector<const PointReport*>& points) {
  double highest = 0;
  for (const PointReport* p : points)
    if (p->training && !p->training->targets.empty())
      highest = std::max(highest, p->training->targets.back());
  return highest;
}

/// How soon a trained point is at the target.
struct Reaching {
  const PointReport* point;
  OverSeeds seconds;  ///< of the seeds that reach it

  Reaching(const PointReport* trained, double target)
      : point(trained), seconds(trained->training->to_reach(target, &LearningPoint::seconds)) {}
  std::size_t seeds() const { return point->training->curves.size(); }
  bool always() const { return seconds.seeds == seeds(); }
  /// Those that always reach it, then sometimes, then never.
  int rank() const { return always() ? 0 : seconds.seeds > 0 ? 1 : 2; }
};

std::string where_it_fails(const Reaching& run) {
  std::string text = run.seconds.seeds > 0 ? "reaches it in " + std::to_string(run.seconds.seeds) + " of " +
                                                 std::to_string(run.seeds()) + " seeds, after " +
                                                 format_seconds(run.seconds.mean)
                                           : "never reaches it (seeds: " + std::to_string(run.seeds()) + ")";
  if (std::size_t diverged = run.point->training->diverged(); diverged > 0)
    text += "; " + std::to_string(diverged) + " diverged";
  return text;
}

void judge_by_accuracy(std::string head, const std::vector<const PointReport*>& group, double target,
                       std::vector<std::string>& sentences) {
  std::vector<Reaching> runs;
  for (const PointReport* p : group)
    if (p->training) runs.emplace_back(p, target);
  std::stable_sort(runs.begin(), runs.end(), [](const Reaching& a, const Reaching& b) {
    return std::pair(a.rank(), a.seconds.mean) < std::pair(b.rank(), b.seconds.mean);
  });
  auto dense = std::ranges::find_if(runs, [](const Reaching& run) { return is_dense(*run.point); });
  const bool compared = dense != runs.end() && dense->always();
  // Where the initial model is at the target already, all are there at once.
  auto gain = [&](const Reaching& run) {
    return run.seconds.mean > 0 ? dense->seconds.mean / run.seconds.mean : 1.0;
  };
  const Reaching& best = runs.front();
  const bool won = best.always() && !is_dense(*best.point) && (!compared || gain(best) > 1 + kEven);
  char accuracy[32];
  std::snprintf(accuracy, sizeof accuracy, "%g %%", 100 * target);
  head += std::string("time to ") + accuracy + " accuracy: ";
  const std::string of_dense = compared ? "the best dense run (" + dense->point->label + ", " +
                                              format_seconds(dense->seconds.mean) + ")"
                                        : "";
  if (won)
    head += best.point->label +
            (compared          ? " wins, " + times(gain(best)) + " " + of_dense + ": "
             : runs.size() > 1 ? " wins, after "
                               : " takes ") +
            format_seconds(best.seconds.mean);
  else if (compared)
    head += "no method beats " + of_dense;
  else
    head += "no run reaches it in every seed";
  sentences.push_back(head);
  for (const Reaching& run : runs) {
    if (!run.always())
      sentences.push_back("  " + run.point->label + " " + where_it_fails(run));
    else if (!is_dense(*run.point) && !(won && &run == &best))
      sentences.push_back("  " + run.point->label + " " +
                          (compared ? verb_of(gain(run)) + ", " + times(gain(run)) + ": " : "takes ") +
                          format_seconds(run.seconds.mean));
  }
}

/// A step's time says nothing of runs that diverged.
void judge_by_step_of_training(const std::string& head, std::vector<const PointReport*> group,
                               const Report& report, std::vector<std::string>& sentences) {
  std::vector<std::string> left_out;
  std::erase_if(group, [&](const PointReport* p) {
    const std::size_t diverged = p->training ? p->training->diverged() : 0;
    if (diverged > 0)
      left_out.push_back("  " + p->label + " is left out: " + std::to_string(diverged) + " of " +
                         std::to_string(p->training->curves.size()) + " seeds diverged");
    return diverged > 0;
  });
  if (group.empty()) sentences.push_back(head + "every method diverged");
  judge_by_step(head + "by step time, ", std::move(group), report, sentences);
  sentences.insert(sentences.end(), left_out.begin(), left_out.end());
}

/// Whether the method of a break-even, where it was trained, came to something.
bool is_of_use(const BreakEven& b, const Report& report) {
  std::vector<const PointReport*> trained;
  for (const PointReport& p : report.points)
    if (p.training && p.label == b.label && p.setting == b.place && p.learners == b.learners)
      trained.push_back(&p);
  const double target = highest_target(trained);
  return std::ranges::all_of(trained, [&](const PointReport* p) {
    return p->training->diverged() == 0 && (target == 0 || Reaching(p, target).seconds.seeds > 0);
  });
}

}  // namespace

std::vector<std::string> judge(const Report& report) {
  std::vector<std::string> sentences;
  std::vector<std::string> places;
  for (const PointReport& p : report.points)
    if (std::find(places.begin(), places.end(), p.place) == places.end()) places.push_back(p.place);

  for (const std::string& place : places) {
    std::vector<const PointReport*> group = largest_of(report, place);
    if (group.front()->learners < 2) continue;
    const std::string head = place + ", " + std::to_string(group.front()->learners) + " learners: ";
    if (double target = highest_target(group); target > 0)
      judge_by_accuracy(head, group, target, sentences);
    else if (std::ranges::any_of(group, [](const PointReport* p) { return p->training.has_value(); }))
      judge_by_step_of_training(head, group, report, sentences);
    else
      judge_by_step(head, group, report, sentences);
  }
  const bool trained =
      std::ranges::any_of(report.points, [](const PointReport& p) { return p.training.has_value(); });
  bool one_place = true;
  for (const BreakEven& b : report.break_evens)
    one_place = one_place && b.place == report.break_evens.front().place;
  for (const BreakEven& b : report.break_evens) {
    if (!is_of_use(b, report)) continue;
    std::string who =
        (one_place ? "" : b.place + ": ") + b.label + " (" + std::to_string(b.learners) + " learners)";
    sentences.push_back(who + (b.wins.empty() ? " never beats" : " beats") + " the best dense run " +
                        (trained ? "by step time " : "") + where_it_wins(b));
  }
  return sentences;
}

}  // namespace traincast
