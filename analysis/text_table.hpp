// Columns of text that fit a terminal: at most 100 characters wide.
#pragma once

#include <string>
#include <vector>

namespace traincast {

struct Column {
  std::string head;
  bool left = false;  ///< aligned; the first such column is cut where the rest would pass the widest line
};

constexpr std::size_t kWidestLine = 100;

/// A head and one line a row; an empty row is an empty line. Cells are ASCII.
std::string render_table(const std::vector<Column>& columns, std::vector<std::vector<std::string>> rows);
/// The same as a table of GitHub's Markdown, in full width.
std::string markdown_table(const std::vector<Column>& columns,
                           const std::vector<std::vector<std::string>>& rows);

}  // namespace traincast
