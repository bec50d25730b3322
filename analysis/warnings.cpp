// Where the numbers should not be trusted, or the scenario not be taken for the best.
#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/report.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

// One sentence per method.
void growing_memories(const std::vector<PointReport>& points, std::vector<std::string>& warnings) {
  std::set<std::string> told;
  for (const PointReport& p : points) {
    if (!p.memory_grows || !told.insert(p.label).second) continue;
    std::string warning = p.label + ": error memories still grow after " + std::to_string(p.steps) +
                          " steps, so build-up and errors are those of an early step";
    if (p.build_up && p.wire_ratio && *p.payload_ratio > 1)
      warning += " (an entry is sent about every " + std::to_string(std::lround(*p.payload_ratio)) +
                 " steps: take as many)";
    warnings.push_back(warning);
  }
}

void stand_in_engines(const std::vector<PointReport>& points, std::vector<std::string>& warnings) {
  auto count = std::ranges::count_if(points, &PointReport::stood_in);
  if (count == 0) return;
  std::uint32_t fewest = UINT32_MAX;
  for (const PointReport& p : points)
    if (p.stood_in) fewest = std::min(fewest, p.learners);
  warnings.push_back("the engine 'flow' stood in for SimGrid, which would have taken too long, at " +
                     std::to_string(count) + " of " + std::to_string(points.size()) + " points (from " +
                     std::to_string(fewest) +
                     " learners on): in uneven rings on shared links their times may differ by 1 %; "
                     "\"engine\": \"simgrid\" replays them all the same");
}

// For each choice the point that loses most by it.
void slow_collectives(const std::vector<PointReport>& points, std::vector<std::string>& warnings) {
  struct Loss {
    const PointReport* point;
    const SlowCollective* choice;
    std::size_t points = 0;
    double factor() const { return choice->seconds / choice->better_seconds; }
  };
  std::vector<Loss> losses;
  for (const PointReport& p : points)
    for (const SlowCollective& slow : p.slow_collectives) {
      auto known = std::ranges::find_if(losses, [&](const Loss& loss) {
        return loss.choice->word == slow.word && loss.choice->algorithm == slow.algorithm;
      });
      if (known == losses.end()) known = losses.insert(known, {&p, &slow});
      ++known->points;
      if (slow.seconds / slow.better_seconds > known->factor()) *known = {&p, &slow, known->points};
    }
  for (const Loss& loss : losses) {
    const SlowCollective& slow = *loss.choice;
    char factor[32];
    std::snprintf(factor, sizeof factor, loss.factor() >= 10 ? "%.0f" : "%.1f", loss.factor());
    std::string warning =
        slow.word + " by '" + slow.algorithm + "' is not the quickest: " + loss.point->label + " at " +
        std::to_string(loss.point->learners) + " learners would take " + format_seconds(slow.better_seconds) +
        " by '" + slow.better + "' instead of " + format_seconds(slow.seconds) +
        " (by their closed forms), " + factor + " times less";
    if (loss.points > 1) warning += "; so at " + std::to_string(loss.points) + " points";
    warnings.push_back(warning + "; 'auto' takes the quickest");
  }
}

}  // namespace

std::vector<std::string> warn_about(const std::vector<PointReport>& points) {
  std::vector<std::string> warnings = diverged_runs(points);
  for (std::string& sentence : unaveraged_runs(points)) warnings.push_back(std::move(sentence));
  for (std::string& sentence : dearer_layers(points)) warnings.push_back(std::move(sentence));
  growing_memories(points, warnings);
  stand_in_engines(points, warnings);
  slow_collectives(points, warnings);
  return warnings;
}

}  // namespace traincast
