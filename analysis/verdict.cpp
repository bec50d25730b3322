// The sentences under the table: who wins where, from which bandwidth on, and what holds the others back.
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

}  // namespace

std::vector<std::string> judge(const Report& report) {
  std::vector<std::string> sentences;
  std::vector<std::string> places;
  for (const PointReport& p : report.points)
    if (std::find(places.begin(), places.end(), p.place) == places.end()) places.push_back(p.place);

  for (const std::string& place : places) {
    std::vector<const PointReport*> group = largest_of(report, place);
    std::erase_if(group, [](const PointReport* p) { return !p->speedup; });
    if (group.empty() || group.front()->learners < 2) continue;
    std::stable_sort(group.begin(), group.end(),
                     [](const PointReport* a, const PointReport* b) { return *a->speedup > *b->speedup; });
    const PointReport& best = *group.front();
    std::string head = place + ", " + std::to_string(best.learners) + " learners: ";
    bool won = !is_dense(best) && *best.speedup > 1 + kEven;
    if (won)
      head += best.label + " wins, " + times(*best.speedup) + " the best dense run (" + best.best_dense + ")";
    else
      head += "no method beats the best dense run (" + best.best_dense + ")";
    sentences.push_back(head);
    for (const PointReport* p : group) {
      if ((p == &best && won) || is_dense(*p)) continue;
      std::string verb = *p->speedup > 1 + kEven ? "gains" : *p->speedup < 1 - kEven ? "loses" : "is even";
      sentences.push_back("  " + p->label + " " + verb + ", " + times(*p->speedup) + ": " +
                          what_limits(report, *p));
    }
  }
  bool one_place = true;
  for (const BreakEven& b : report.break_evens)
    one_place = one_place && b.place == report.break_evens.front().place;
  for (const BreakEven& b : report.break_evens) {
    std::string who =
        (one_place ? "" : b.place + ": ") + b.label + " (" + std::to_string(b.learners) + " learners)";
    sentences.push_back(who + (b.wins.empty() ? " never beats" : " beats") + " the best dense run " +
                        where_it_wins(b));
  }
  return sentences;
}

}  // namespace traincast
