#include "analysis/figures/figure_files.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "analysis/figures/figure_catalog.hpp"
#include "analysis/figures/renderers.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/programs.hpp"

namespace traincast {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDrawn[] = {".svg", ".pdf", ".png"};
constexpr const char* kWritten[] = {".csv", ".tex", ".gp"};
constexpr const char* kCaptions = "captions.md";

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(folder.string() + ": cannot be made: " + error.message());
}

// Files that an earlier call made: named by its captions.
void remove_earlier(const fs::path& folder) {
  std::ifstream captions(folder / kCaptions);
  for (std::string line; std::getline(captions, line);) {
    if (!line.starts_with("## ")) continue;
    std::string name = line.substr(3);
    if (name.find('/') != name.npos) continue;
    std::error_code ignored;
    for (const char* extension : kDrawn) fs::remove(folder / (name + extension), ignored);
    for (const char* extension : kWritten) fs::remove(folder / (name + extension), ignored);
  }
}

std::string captions_of(const std::vector<Figure>& figures, const PlotResult& result) {
  std::string text = "# Figures\n";
  for (const Figure& figure : figures) {
    text += "\n## " + figure.name + "\n\n" + (figure.title().empty() ? "" : figure.title() + ". ") +
            figure.caption;
    for (const std::string& note : figure.notes) text += " Note: " + note + ".";
    text += " (" + figure.source + ")\n";
  }
  if (!result.missing.empty()) text += "\nNot made:\n";
  for (const auto& [kind, why] : result.missing) text += "\n- " + kind + ": " + why;
  return text + (result.missing.empty() ? "" : "\n");
}

// A folder inside the final one, so that finished files are renamed on one file system.
class Workshop {
 public:
  explicit Workshop(const fs::path& folder) {
    std::string pattern = (folder / ".drawing-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw InputError(pattern + ": cannot be made: " + std::strerror(errno));
    path = pattern;
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  fs::path path;
};

std::string last_lines(const fs::path& log) {
  std::ifstream file(log);
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  constexpr std::size_t kShown = 400;
  return all.size() > kShown ? "…" + all.substr(all.size() - kShown) : all;
}

// "" or why nothing could be drawn.
std::string draw(const std::vector<Figure>& figures, const fs::path& folder) {
  Workshop workshop(folder);
  std::vector<std::string> arguments{"gnuplot"};
  for (const Figure& figure : figures)
    arguments.push_back((fs::absolute(folder) / (figure.name + ".gp")).string());
  ProgramEnd end = run_program({arguments, workshop.path.string(), "gnuplot.log"});
  if (end.code == kNotStarted && end.signal == 0)
    return "gnuplot is not there (Debian: apt-get install gnuplot-nox)";
  if (end.code != 0 || end.signal != 0)
    throw SimulationError("gnuplot could not draw the figures: " + last_lines(workshop.path / "gnuplot.log"));
  for (const Figure& figure : figures)
    for (const char* extension : kDrawn) {
      std::error_code error;
      fs::rename(workshop.path / (figure.name + extension), folder / (figure.name + extension), error);
      if (error)
        throw SimulationError("gnuplot did not write " + figure.name + extension + ": " +
                              last_lines(workshop.path / "gnuplot.log"));
    }
  return "";
}

}  // namespace

PlotResult plot(const FigureSource& source, const fs::path& folder) {
  PlotResult result;
  std::vector<Figure> figures;
  for (const auto& entry : figure_catalog().entries()) {
    DrawnFigures drawn = entry.make(source);
    if (drawn.figures.empty()) result.missing.emplace_back(entry.name, drawn.missing);
    std::move(drawn.figures.begin(), drawn.figures.end(), std::back_inserter(figures));
  }
  if (figures.empty()) {
    std::string why;
    for (const auto& [kind, reason] : result.missing) why += "\n  " + kind + ": " + reason;
    throw InputError("no figure can be made from this report:" + why);
  }
  make_folder(folder);
  remove_earlier(folder);
  for (const Figure& figure : figures) {
    write_text_file(folder / (figure.name + ".csv"), to_figure_csv(figure));
    write_text_file(folder / (figure.name + ".tex"), to_pgfplots(figure));
    write_text_file(folder / (figure.name + ".gp"), to_gnuplot(figure));
    result.figures.push_back(figure.name);
  }
  write_text_file(folder / kCaptions, captions_of(figures, result));
  result.not_drawn = draw(figures, folder);
  return result;
}

}  // namespace traincast
