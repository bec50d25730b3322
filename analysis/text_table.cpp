#include "analysis/text_table.hpp"

#include <algorithm>

namespace traincast {

namespace {

// "powersgd rank=2 w~lap=false": what tells labels apart may stand at either end.
std::string cut(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  std::size_t tail = width / 3;
  return text.substr(0, width - tail - 1) + "~" + text.substr(text.size() - tail);
}

}  // namespace

std::string render_table(const std::vector<Column>& columns, std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (const Column& column : columns) widths.push_back(column.head.size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::size_t others = 0, flexible = 0;
  while (flexible + 1 < columns.size() && !columns[flexible].left) ++flexible;
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (c != flexible) others += widths[c];
  constexpr std::size_t kReadable = 24;
  std::size_t gap =
      others + 2 * (columns.size() - 1) + std::min(kReadable, widths[flexible]) <= kWidestLine ? 2 : 1;
  others += gap * (columns.size() - 1);
  std::size_t left = others + 8 < kWidestLine ? kWidestLine - others : 8;
  if (widths[flexible] > left) {
    widths[flexible] = left;
    for (auto& row : rows)
      if (!row.empty()) row[flexible] = cut(row[flexible], left);
  }
  auto line = [&](auto cell) {
    std::string text;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      std::string value = cell(c);
      std::string pad(widths[c] - value.size(), ' ');
      text += std::string(c ? gap : 0, ' ') + (columns[c].left ? value + pad : pad + value);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string all = line([&](std::size_t c) { return columns[c].head; });
  for (const auto& row : rows) all += row.empty() ? "\n" : line([&](std::size_t c) { return row[c]; });
  return all;
}

std::string markdown_table(const std::vector<Column>& columns,
                           const std::vector<std::vector<std::string>>& rows) {
  std::string text = "|";
  for (const Column& column : columns) text += " " + column.head + " |";
  text += "\n|";
  for (const Column& column : columns) text += column.left ? " --- |" : " ---: |";
  text += "\n";
  for (const auto& row : rows) {
    text += "|";
    for (const std::string& cell : row) {
      text += " ";
      for (char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
      text += " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace traincast
