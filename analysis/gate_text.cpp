// A gate's verdict for people: what moved, on a terminal and in a pull request.
#include <algorithm>
#include <cstdio>

#include "analysis/gate.hpp"
#include "analysis/moves.hpp"
#include "analysis/report.hpp"
#include "analysis/text_table.hpp"

namespace traincast {

namespace {

const std::vector<Column> kColumns{{"point", true}, {"number", true}, {"baseline"}, {"now"},
                                   {"moved"},       {"allowed"},      {"", true}};

std::string in_words(const Move& move) {
  switch (move.verdict) {
    case Move::Verdict::fails: return "fails";
    case Move::Verdict::tolerated: return "within";
    case Move::Verdict::other_side: return "better";
  }
  return "";
}

std::string allowed(const Move& move) {
  if (!move.before || !move.now) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", move.allowed);
  return text;
}

// Of a point the first row bears the name, the others leave it out.
std::vector<std::vector<std::string>> rows_of(const GateVerdict& verdict) {
  std::vector<std::vector<std::string>> rows;
  for (const PointVerdict& point : verdict.points) {
    if (point.state == PointVerdict::State::missing)
      rows.push_back({point.name, "not reported any more", "", "", "", "", "fails"});
    if (point.state == PointVerdict::State::added)
      rows.push_back({point.name, "not in the baseline", "", "", "", "", "fails"});
    for (const Move& move : point.moves) {
      auto texts = told_apart({move.before, move.now});
      rows.push_back({&move == &point.moves.front() ? point.name : "", move.key,
                      move.new_number ? "absent" : texts[0], move.gone ? "absent" : texts[1],
                      difference(move.before, move.now), allowed(move), in_words(move)});
    }
  }
  return rows;
}

std::string plural(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// "35 points: 33 hold, 1 moved, 1 is not in the baseline."
std::string summary(const GateVerdict& verdict) {
  auto count = [&](PointVerdict::State state) {
    return static_cast<std::size_t>(std::ranges::count_if(
        verdict.points, [&](const PointVerdict& point) { return point.state == state; }));
  };
  std::string text = plural(verdict.points.size(), "point") + ": " +
                     std::to_string(count(PointVerdict::State::held)) + " as in " + verdict.baseline;
  if (std::size_t moved = count(PointVerdict::State::moved)) text += ", " + std::to_string(moved) + " moved";
  if (std::size_t gone = count(PointVerdict::State::missing))
    text += ", " + std::to_string(gone) + " not reported any more";
  if (std::size_t added = count(PointVerdict::State::added))
    text += ", " + std::to_string(added) + " not in the baseline";
  return text + (verdict.timings ? "" : "; times not compared");
}

// How to go on after a failure.
std::string way_out(const GateVerdict& verdict) {
  return "where this is meant: traincast check " + verdict.baseline + " --update 'the reason'";
}

}  // namespace

std::string to_text(const GateVerdict& verdict) {
  std::string text;
  if (auto rows = rows_of(verdict); !rows.empty()) text += render_table(kColumns, rows) + "\n";
  for (const std::string& check : verdict.failed_checks)
    text += wrapped("the report's own check failed: " + check);
  text += wrapped(summary(verdict));
  return text + (verdict.passed() ? "passed\n" : wrapped("failed; " + way_out(verdict)));
}

std::string to_text_of_update(const GateVerdict& verdict) {
  std::vector<Column> columns(kColumns.begin(), kColumns.end() - 2);
  auto rows = rows_of(verdict);
  for (auto& row : rows) row.resize(columns.size());
  return (rows.empty() ? "" : render_table(columns, rows) + "\n") + wrapped(summary(verdict));
}

std::string to_markdown(const GateVerdict& verdict) {
  std::string text = std::string("### traincast check: ") + (verdict.passed() ? "passed" : "failed") +
                     "\n\n" + summary(verdict) + ".\n";
  for (const std::string& check : verdict.failed_checks)
    text += "\nThe report's own check failed: " + check + "\n";
  auto rows = rows_of(verdict);
  if (!rows.empty()) text += "\n" + markdown_table(kColumns, rows);
  if (!verdict.passed())
    text += "\nWhere this is meant: `traincast check " + verdict.baseline + " --update 'the reason'`\n";
  return text;
}

}  // namespace traincast
