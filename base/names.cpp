#include "base/names.hpp"

#include <algorithm>

namespace traincast {

std::string join(std::span<const std::string> words, std::string_view separator) {
  std::string all;
  for (const std::string& word : words) {
    if (!all.empty()) all += separator;
    all += word;
  }
  return all;
}

namespace {

// Optimal string alignment distance: Levenshtein with swaps of neighbours.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t replace = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known) {
  std::string best;
  std::size_t fewest = 3;
  if (word.size() > 64) return best;
  for (const std::string& name : known) {
    std::size_t distance = edits(word, name);
    if (distance < fewest && distance < std::max(word.size(), name.size())) {
      fewest = distance;
      best = name;
    }
  }
  return best;
}

std::string known_names(std::string_view word, std::span<const std::string> known) {
  std::string tail, near = nearest(word, known);
  if (!near.empty()) tail += "; did you mean '" + near + "'?";
  return tail + "; known: " + (known.empty() ? "none yet" : join(known));
}

}  // namespace traincast
