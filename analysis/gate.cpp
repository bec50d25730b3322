#include "analysis/gate.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace traincast {

namespace {

bool same(const std::optional<double>& a, const std::optional<double>& b) { return a == b; }

Move::Verdict judge_move(double before, double now, const Tolerance& tolerance) {
  bool other_side = (tolerance.fails == Tolerance::Fails::above && now < before) ||
                    (tolerance.fails == Tolerance::Fails::below && now > before);
  if (std::fabs(now - before) <= tolerance.allowed(before)) return Move::Verdict::tolerated;
  return other_side ? Move::Verdict::other_side : Move::Verdict::fails;
}

std::vector<Move> moves_of(const PointNumbers& before, const PointNumbers& now, const Baseline& baseline,
                           bool timings) {
  std::vector<Move> moves;
  auto compared = [&](const std::string& key) {
    return baseline.tolerance(key) && (timings || key_of_number(key)->kind != NumberKind::time);
  };
  for (const auto& [key, value] : before.numbers) {
    if (!compared(key)) continue;
    const std::optional<double>* found = now.find(key);
    Move move;
    move.key = key;
    move.before = value;
    if (!found) {
      move.gone = true;
    } else if (same(value, *found)) {
      continue;
    } else {
      move.now = *found;
      if (value && *found) {
        move.allowed = baseline.tolerance(key)->allowed(*value);
        move.verdict = judge_move(*value, **found, *baseline.tolerance(key));
      }
    }
    moves.push_back(std::move(move));
  }
  for (const auto& [key, value] : now.numbers)
    if (compared(key) && !before.find(key)) {
      Move move;
      move.key = key;
      move.now = value;
      move.new_number = true;
      moves.push_back(std::move(move));
    }
  return moves;
}

}  // namespace

bool GateVerdict::passed() const {
  return failed_checks.empty() && std::ranges::all_of(points, [](const PointVerdict& point) {
           return point.state == PointVerdict::State::held;
         });
}

GateVerdict check_against(const Baseline& baseline, const ReportNumbers& report, bool timings) {
  GateVerdict verdict;
  verdict.baseline = baseline.file;
  verdict.report = report.file;
  verdict.failed_checks = report.failed_checks;
  verdict.timings = timings;
  std::map<std::string, const PointNumbers*> reported;
  for (const PointNumbers& point : report.points) reported[point.identity] = &point;
  for (const PointNumbers& point : baseline.points) {
    PointVerdict& one = verdict.points.emplace_back();
    one.name = point.name;
    one.compressor = point.compressor;
    auto now = reported.find(point.identity);
    if (now == reported.end()) {
      one.state = PointVerdict::State::missing;
      continue;
    }
    one.moves = moves_of(point, *now->second, baseline, timings);
    bool fails =
        std::ranges::any_of(one.moves, [](const Move& move) { return move.verdict == Move::Verdict::fails; });
    one.state = fails ? PointVerdict::State::moved : PointVerdict::State::held;
    reported.erase(now);
  }
  for (const PointNumbers& point : report.points)
    if (reported.contains(point.identity))
      verdict.points.push_back({point.name, point.compressor, PointVerdict::State::added, {}});
  return verdict;
}

}  // namespace traincast
