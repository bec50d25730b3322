// Every scenario that ships is read, and those without training run to a report whose checks pass.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(TRAINCAST_SOURCE_DIR) / "simulator/scenarios"))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  return names;
}

class Shipped : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Scenarios, Shipped, ::testing::ValuesIn(shipped()), [](const auto& name) {
  std::string identifier = name.param;
  for (char& c : identifier)
    if (c == '-') c = '_';
  return identifier;
});

TEST_P(Shipped, RunsWithoutAFailedCheck) {
  std::string file = std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/" + GetParam() + ".json";
  Json scenario = Json::read_file(file);
  const Json* gradients = std::as_const(scenario).find("gradients");
  if (!gradients || !gradients->find("name")) GTEST_SKIP() << "trains first; the program's own tests do that";
  if (kSanitized && gradients->at("name").text() == "exchange")
    GTEST_SKIP() << "its replays take 40 s under the sanitizers, and others replay the same collectives";
  std::size_t points = 1;
  if (const Json* sweep = std::as_const(scenario).find("sweep"))
    for (const auto& [pointer, values] : sweep->members()) points *= values.items().size();
  if (points > (kSanitized ? 20 : 200)) GTEST_SKIP() << points << " points take longer than a test may";
  // A size that takes no time; scenarios that sweep bring their own.
  const int most = kSanitized ? 8 : 64;
  std::string smaller = !scenario.find("sweep") && scenario.at("learners").number() > most
                            ? " --set /learners=" + std::to_string(most)
                            : "";
  ScratchFolder scratch;
  std::string out = scratch / "out";
  std::string command =
      std::string(TRAINCAST_BINARY_DIR) + "/bin/traincast run " + file + " --quiet --out " + out + smaller;
  ASSERT_EQ(std::system((command + " > /dev/null").c_str()), 0) << command;
  Json report = Json::read_file(out + "/report.json");
  EXPECT_FALSE(report.at("points").items().empty());
  for (const Json& check : report.at("checks").items())
    EXPECT_TRUE(check.at("passed").flag()) << check.dump();
}

}  // namespace
}  // namespace traincast
