// The table that a run prints: at most 100 columns.
#include <algorithm>
#include <cstdio>

#include "analysis/report.hpp"
#include "analysis/text_table.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::string milliseconds(double seconds) {
  double ms = seconds * 1e3;
  char text[32];
  std::snprintf(text, sizeof text, ms >= 1000 ? "%.0f" : ms >= 100 ? "%.1f" : ms >= 10 ? "%.2f" : "%.3f", ms);
  return text;
}

std::string ratio(const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, *value >= 100 ? "%.0f" : *value >= 10 ? "%.1f" : "%.2f", *value);
  return text;
}

}  // namespace

std::string to_table(const Report& report) {
  std::string all = "times in ms, on the slowest learner; bytes per step, over all links of a tier\n\n";
  std::size_t i = 0;
  while (i < report.points.size()) {
    // A block: points of one place, in whatever order the axes give them; sorted by learners, then by file
    // order.
    std::vector<const PointReport*> block;
    const PointReport& head = report.points[i];
    for (; i < report.points.size() && report.points[i].place == head.place; ++i)
      block.push_back(&report.points[i]);
    std::stable_sort(block.begin(), block.end(),
                     [](const PointReport* a, const PointReport* b) { return a->learners < b->learners; });

    std::vector<Column> columns{{"N"},      {"method", true}, {"step"},   {"speed-up"}, {"compute"},
                                {"encode"}, {"comm."},        {"decode"}, {"wait"}};
    std::vector<std::string> tiers;
    for (const PointReport* p : block)
      for (const auto& [tier, bytes] : p->tier_bytes)
        if (std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) tiers.push_back(tier);
    for (const std::string& tier : tiers) columns.push_back({tier});
    columns.push_back({"ratio"});
    columns.push_back({"build-up"});

    std::vector<std::vector<std::string>> rows;
    for (const PointReport* p : block) {
      if (!rows.empty() && !rows.back().empty() && rows.back()[0] != std::to_string(p->learners))
        rows.emplace_back();
      std::vector<std::string> row{std::to_string(p->learners),
                                   p->label,
                                   milliseconds(p->step_seconds.mean),
                                   ratio(p->speedup),
                                   milliseconds(p->compute_seconds.mean),
                                   milliseconds(p->exposed_encode_seconds.mean),
                                   milliseconds(p->exposed_communication_seconds.mean),
                                   milliseconds(p->exposed_decode_seconds.mean),
                                   milliseconds(p->wait_seconds.mean)};
      for (const std::string& tier : tiers) {
        double bytes = 0;
        for (const auto& [name, value] : p->tier_bytes)
          if (name == tier) bytes = value;
        row.push_back(format_bytes(bytes));
      }
      row.push_back(ratio(p->wire_ratio));
      row.push_back(p->build_up ? ratio(p->build_up->final_union.mean) : "-");
      rows.push_back(std::move(row));
    }
    all += head.place + "\n" + render_table(columns, rows) + "\n";
  }
  return all + training_table(report.points);
}

std::string wrapped(const std::string& sentence) {
  std::string indent(sentence.find_first_not_of(' ') == sentence.npos ? 0 : sentence.find_first_not_of(' '),
                     ' ');
  std::string all, line = indent;
  std::size_t columns = line.size();
  for (std::size_t at = indent.size(); at < sentence.size();) {
    std::size_t end = std::min(sentence.find(' ', at), sentence.size());
    std::string word = sentence.substr(at, end - at);
    auto width = static_cast<std::size_t>(std::count_if(
        word.begin(), word.end(), [](char c) { return (c & 0xC0) != 0x80; }));  // UTF-8 characters
    bool first = line.find_first_not_of(' ') == line.npos;
    if (!first && columns + 1 + width > kWidestLine) {
      all += line + "\n";
      line = indent + "    ";
      columns = line.size();
      first = true;
    }
    line += (first ? "" : " ") + word;
    columns += width + (first ? 0 : 1);
    at = end + 1;
  }
  return all + line + "\n";
}

}  // namespace traincast
