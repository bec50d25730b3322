// Holds every #include of the project against a table of allowed arrows: base ← rooms ← simulator, and each
// package only where it belongs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file;  // relative to the repository
  int line;
  std::string target;
  bool angled;
};

std::vector<Include> all_includes() {
  std::vector<Include> all;
  fs::path root = TRAINCAST_SOURCE_DIR;
  const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  for (const char* room : {"base", "compressors", "platforms", "workloads", "analysis", "simulator", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
      std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".cu") continue;
      std::ifstream file(entry.path());
      int number = 0;
      std::smatch match;
      for (std::string line; std::getline(file, line);) {
        ++number;
        if (std::regex_search(line, match, pattern))
          all.push_back({fs::relative(entry.path(), root), number, match[2], match[1] == "<"});
      }
    }
  return all;
}

// A box is the longest of these prefixes that a path begins with; it may include the boxes behind it (and
// itself).
const std::map<std::string, std::set<std::string>> kArrows{
    {"base/", {}},
    {"compressors/", {"base/"}},
    {"platforms/", {"base/"}},
    {"platforms/accelerators/", {"base/"}},
    {"analysis/", {"base/"}},
    {"analysis/figures/", {"base/"}},
    {"workloads/", {"base/", "workloads/data/", "workloads/models/", "workloads/timeline/"}},
    {"workloads/data/", {"base/", "workloads/models/", "workloads/trace/"}},
    {"workloads/timeline/", {"base/"}},
    {"workloads/models/", {"base/", "workloads/timeline/"}},
    {"workloads/trace/", {"base/", "workloads/timeline/"}},
    {"workloads/capture/",
     {"base/", "workloads/", "workloads/data/", "workloads/models/", "workloads/timeline/",
      "workloads/trace/"}},
    {"simulator/collectives/", {"base/"}},
    {"simulator/step/", {"base/", "simulator/collectives/"}},
    {"simulator/replay/", {"base/", "platforms/", "simulator/collectives/", "simulator/step/"}},
    {"simulator/training/",
     {"base/", "compressors/", "workloads/", "simulator/scenario/", "simulator/pass/"}},
    {"simulator/scenario/",
     {"base/", "compressors/", "platforms/", "platforms/accelerators/", "workloads/",
      "simulator/collectives/", "simulator/step/"}},
    {"simulator/pass/",
     {"base/", "compressors/", "platforms/accelerators/", "workloads/", "workloads/models/",
      "workloads/timeline/", "workloads/trace/", "simulator/scenario/"}},
    {"simulator/", {"*"}},
    {"simulator/commands/", {"*"}},
    {"tests/", {"*"}},
};

std::string box_of(const std::string& path) {
  std::string best;
  for (const auto& [box, allowed] : kArrows)
    if (path.starts_with(box) && box.size() > best.size()) best = box;
  return best;
}

TEST(Architecture, EveryIncludeFollowsAnAllowedArrow) {
  std::vector<Include> includes = all_includes();
  ASSERT_GT(includes.size(), 100u);
  for (const Include& include : includes) {
    if (include.angled) continue;
    std::string from = box_of(include.file), to = box_of(include.target);
    const std::set<std::string>& allowed = kArrows.at(from);
    EXPECT_TRUE(from == to || allowed.contains("*") || allowed.contains(to))
        << include.file << ":" << include.line << " includes " << include.target;
    EXPECT_TRUE(from == "tests/" || to != "tests/") << include.file << " includes a test";
  }
}

TEST(Architecture, QuotedIncludesNameFilesOfTheProject) {
  for (const Include& include : all_includes())
    EXPECT_TRUE(include.angled || fs::exists(fs::path(TRAINCAST_SOURCE_DIR) / include.target))
        << include.file << ":" << include.line << " includes " << include.target;
}

struct Package {
  const char* prefix;
  std::vector<std::string> places;  // path prefixes
  bool headers;                     // may public headers name it?
};

TEST(Architecture, EachPackageIsIncludedWhereItBelongs) {
  const std::vector<Package> packages{
      {"torch/", {"workloads/capture/"}, true},
      {"ATen/", {"workloads/capture/"}, true},
      {"c10/", {"workloads/capture/"}, true},
      {"simgrid/", {"platforms/", "simulator/replay/"}, false},
      {"xbt/", {"platforms/", "simulator/replay/"}, false},
      {"Eigen/", {"compressors/"}, false},
      {"boost/", {"simulator/"}, false},
      {"nlohmann/", {"base/"}, false},
      {"gtest/", {"tests/"}, true},
      {"gmock/", {"tests/"}, true},
  };
  for (const Include& include : all_includes())
    for (const Package& package : packages) {
      if (!include.angled || !include.target.starts_with(package.prefix)) continue;
      bool placed = include.file.starts_with("tests/") ||
                    std::any_of(package.places.begin(), package.places.end(),
                                [&](const std::string& place) { return include.file.starts_with(place); });
      EXPECT_TRUE(placed) << include.file << ":" << include.line << " includes <" << include.target << ">";
      bool private_place =
          package.headers || include.file.starts_with("tests/") || include.file.ends_with(".cpp");
      EXPECT_TRUE(private_place) << include.file << ":" << include.line << " is a header with <"
                                 << include.target << ">";
    }
}

// Each LibTorch source takes half a minute to compile: they are few, and what reaches one through a header
// counts.
TEST(Architecture, AtMostFiveSourcesIncludeLibTorch) {
  std::vector<Include> includes = all_includes();
  std::set<std::string> tainted;  // files that LibTorch reaches
  for (std::size_t before = SIZE_MAX; before != tainted.size();) {
    before = tainted.size();
    for (const Include& include : includes)
      if (tainted.contains(include.target) || include.target.starts_with("torch/") ||
          include.target.starts_with("ATen/"))
        tainted.insert(include.file);
  }
  std::vector<std::string> sources;
  for (const std::string& file : tainted)
    if (file.ends_with(".cpp")) sources.push_back(file);
  EXPECT_GE(sources.size(), 1u);
  EXPECT_LE(sources.size(), 5u) << testing::PrintToString(sources);
}

TEST(Architecture, FileNamesAreUnique) {
  std::map<std::string, std::string> seen;
  for (const char* room : {"base", "compressors", "platforms", "workloads", "analysis", "simulator", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(TRAINCAST_SOURCE_DIR) / room)) {
      std::string name = entry.path().filename();
      bool of_trace = fs::exists(entry.path().parent_path() / "manifest.json");  // its format names them
      if (!entry.is_regular_file() || name == "CMakeLists.txt" || of_trace) continue;
      auto [at, fresh] = seen.emplace(name, entry.path());
      EXPECT_TRUE(fresh) << entry.path() << " has the name of " << at->second;
    }
}

}  // namespace
