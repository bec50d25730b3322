// What gnuplot, TeX and tables are given: nothing in a name is interpreted, and nothing is lost.
#include "analysis/figures/renderers.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "analysis/figures/figure_catalog.hpp"
#include "analysis/figures/figure_files.hpp"
#include "analysis/figures/layout.hpp"
#include "base/files.hpp"
#include "tests/support/hand_made_report.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

namespace fs = std::filesystem;

const std::string kHostile = "a'b\"c `touch owned` @x %s _#&{}$~^\\ \n 層×µ";

TEST(GnuplotText, StandsInSingleQuotes) {
  EXPECT_EQ(gnuplot_quoted("it's"), "'it''s'");
  EXPECT_EQ(gnuplot_quoted("a\nb\tc"), "'a b c'");
}

TEST(GnuplotTicks, AreFormatsInWhichPerCentSignsStandTwice) {
  Json report = hand_made_report();
  add_point(report, "topk 0.1 %", 8, 1e-3);
  FigureSource source = source_of(report);
  for (const auto& entry : figure_catalog().entries()) {
    if (entry.name != "speedup") continue;
    std::string script = to_gnuplot(entry.make(source).figures.at(0));
    EXPECT_THAT(script, testing::HasSubstr("'topk 0.1 %%' 0"));
  }
}

TEST(TexText, HasNoSpecialCharacterLeft) {
  EXPECT_EQ(tex_escaped("50% of a_b & #1"), "50\\% of a\\_b \\& \\#1");
  EXPECT_EQ(tex_escaped("\\x{$~^}"), "\\textbackslash{}x\\{\\$\\textasciitilde{}\\textasciicircum{}\\}");
  EXPECT_EQ(tex_escaped("2×\n3µs"), "2$\\times$ 3\\textmu{}s");
}

Json hostile_report() {
  Json report = hand_made_report(kHostile);
  for (std::uint32_t learners : {8u, 16u}) {
    add_point(report, "none bf16", learners, 1e-3)["place"] = kHostile;
    add_point(report, "topk " + kHostile, learners, 0.5e-3)["place"] = kHostile;
  }
  return report;
}

// Braces and environments close in order; what TeX would take for a command, comment or parameter is escaped.
void expect_well_formed(const std::string& tex) {
  int depth = 0;
  std::vector<std::string> open;
  for (std::size_t i = 0; i < tex.size(); ++i) {
    if (tex[i] == '%') {
      ASSERT_TRUE(i == 0 || tex[i - 1] == '\n')
          << "a comment inside a line: " << tex.substr(i > 40 ? i - 40 : 0, 60);
      i = std::min(tex.find('\n', i), tex.size());
      continue;
    }
    if (tex[i] == '\\') {
      for (bool begin : {true, false}) {
        std::string word = begin ? "\\begin{" : "\\end{";
        if (tex.compare(i, word.size(), word) != 0) continue;
        std::string name = tex.substr(i + word.size(), tex.find('}', i) - i - word.size());
        if (begin) {
          open.push_back(name);
        } else {
          ASSERT_FALSE(open.empty());
          EXPECT_EQ(open.back(), name);
          open.pop_back();
        }
      }
      ++i;
      continue;
    }
    if (tex[i] == '{') ++depth;
    if (tex[i] == '}') --depth;
    ASSERT_GE(depth, 0);
    EXPECT_NE(tex[i], '#');
    EXPECT_NE(tex[i], '&');
  }
  EXPECT_EQ(depth, 0);
  EXPECT_TRUE(open.empty());
}

TEST(Plot, DrawsHostileNamesWithoutCarryingThemOut) {
  ScratchFolder folder;
  FigureSource source = source_of(hostile_report());
  PlotResult result = plot(source, folder / "figures");
  if (!result.not_drawn.empty()) GTEST_SKIP() << result.not_drawn;
  for (const std::string& name : result.figures) {
    std::string base = folder / ("figures/" + name);
    for (const char* extension : {".svg", ".pdf", ".png", ".tex", ".csv", ".gp"})
      EXPECT_GT(fs::file_size(base + extension), 100u) << base + extension;
    expect_well_formed(read_text_file(base + ".tex"));
  }
  EXPECT_THAT(
      read_text_file(folder / "figures/speedup.svg"),
      testing::AllOf(testing::HasSubstr("Speed-up over dense (×)"), testing::HasSubstr("Learners (count)"),
                     testing::HasSubstr("`touch owned` @x %s _#&amp;{}$~^\\")));
  for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
    EXPECT_NE(entry.path().filename(), "owned");
}

TEST(Plot, WritesTheSameBytesAgainAndRemovesWhatItNoLongerMakes) {
  ScratchFolder folder;
  FigureSource two = source_of(hostile_report());
  PlotResult first = plot(two, folder / "a");
  PlotResult second = plot(two, folder / "b");
  for (const std::string& name : first.figures)
    for (const char* extension : {".svg", ".tex", ".csv", ".gp"}) {
      if (!first.not_drawn.empty() && extension == std::string(".svg")) continue;
      EXPECT_EQ(read_text_file(folder / ("a/" + name + extension)),
                read_text_file(folder / ("b/" + name + extension)));
    }
  EXPECT_TRUE(fs::exists(folder / "a/scaling-speedup.tex"));
  write_text_file(folder / "a/mine.txt", "kept");
  Json one = hand_made_report();
  add_point(one, "topk density=0.01", 16, 1e-3);
  plot(source_of(std::move(one)), folder / "a");
  EXPECT_FALSE(fs::exists(folder / "a/scaling-speedup.tex"));
  EXPECT_TRUE(fs::exists(folder / "a/mine.txt"));
}

TEST(Plot, WithoutGnuplotStillWritesDataAndTeX) {
  ScratchFolder folder;
  std::string path = ::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  PlotResult result = plot(source_of(hostile_report()), folder / "figures");
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(result.not_drawn, testing::HasSubstr("apt-get install gnuplot-nox"));
  EXPECT_TRUE(fs::exists(folder / "figures/speedup.csv"));
  EXPECT_TRUE(fs::exists(folder / "figures/speedup.tex"));
  EXPECT_FALSE(fs::exists(folder / "figures/speedup.svg"));
}

TEST(Plot, RefusesAReportFromWhichNothingCanBeDrawn) {
  ScratchFolder folder;
  EXPECT_EQ(refusal([] { source_of(hand_made_report()); }),
            "report.json: no points, so there is nothing to draw");
  EXPECT_THAT(refusal([] { source_of(Json("text")); }), testing::HasSubstr("report.json"));
}

TEST(Layout, KeepsThirtyMethodsReadableAndDropsNone) {
  Json report = hand_made_report();
  for (std::uint32_t learners : {8u, 16u})
    for (int method = 0; method < 30; ++method)
      add_point(report, "method number=" + std::to_string(method), learners, 1e-3 / (method + 1));
  FigureSource source = source_of(std::move(report));
  ScratchFolder folder;
  plot(source, folder.path());
  std::string csv = read_text_file(folder / "speedup.csv"), script = read_text_file(folder / "speedup.gp");
  for (int method = 0; method < 30; ++method)
    EXPECT_THAT(csv, testing::HasSubstr("method number=" + std::to_string(method) + ",16.0,"));
  EXPECT_THAT(script, testing::HasSubstr("23 others (see CSV)"));
  EXPECT_THAT(script, testing::HasSubstr("'method number=29'"));
  EXPECT_THAT(script, testing::Not(testing::HasSubstr("'method number=3'")));
}

Figure plain_figure() {
  Figure figure;
  figure.name = "plain";
  figure.x = Axis{"Learners", "count"};
  figure.y = Axis{"Step", "ms"};
  return figure;
}

TEST(Layout, PutsPowersOfTwoOnALearnersAxis) {
  Figure figure = plain_figure();
  figure.x.scale = Scale::log2;
  Series series{"a", Look::line, 0};
  for (double n = 8; n <= 1024; n *= 2) series.points.push_back({n, 1});
  figure.series.push_back(series);
  std::vector<std::string> labels;
  for (const Tick& tick : lay_out(figure).x.ticks) labels.push_back(tick.label);
  EXPECT_THAT(labels, testing::ElementsAre("8", "16", "32", "64", "128", "256", "512", "1024"));
}

TEST(Layout, KeepsTheLegendInsideTheColumnWhateverItsNames) {
  Figure figure = plain_figure();
  for (unsigned i = 0; i < kMostCurves; ++i)
    figure.series.push_back({std::string(200, static_cast<char>('a' + i)), Look::line, i, {{1, 1}}});
  Layout layout = lay_out(figure);
  ASSERT_EQ(layout.legend.size(), kMostCurves);
  for (const LegendEntry& entry : layout.legend) {
    EXPECT_LE(entry.left + kSampleWidth + 4 + text_width(entry.text, kTickFontSize), layout.width);
    EXPECT_LT(entry.middle, layout.bottom);
    EXPECT_GT(entry.middle, 0);
  }
}

TEST(Layout, ShortensBetweenCharactersOfUtf8) {
  std::string cut = shortened("層層層層層層層層層層層層層層層層", 30, 8);
  EXPECT_LE(text_width(cut, 8), 30);
  EXPECT_EQ(cut.find("…") % 3, 0u);
  EXPECT_EQ(shortened("short", 100, 8), "short");
}

}  // namespace
}  // namespace traincast
