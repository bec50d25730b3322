// What was recorded on a GPU gives the report that was written there, on any machine.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "simulator/run.hpp"

namespace traincast {
namespace {

const std::string kFolder = TRAINCAST_SOURCE_DIR "/simulator/scenarios/h100/";

PointReport again(const std::string& model, const Json& point) {
  Json scenario = Json::read_file(kFolder + model + ".json");
  std::erase_if(scenario.members(), [](const Json::Member& member) {
    return member.first == "sweep" || member.first == "workload";
  });
  const std::string learners = std::to_string(point.at("learners").integer());
  scenario["learners"] = point.at("learners");
  scenario["compressor"] = point.at("coordinates").at("/compressor");
  scenario["gradients"] = Json();
  scenario["gradients"]["name"] = "exchange";
  scenario["gradients"]["path"] =
      kFolder + "exchanges/" + model + "-" + point.at("compressor").text() + "-" + learners + ".exchange";
  RunOptions options;
  options.break_evens = options.comparisons = false;
  options.quiet = true;
  return run(make_plan(scenario, kFolder + "again.json", {}), options).report.points.front();
}

TEST(ShippedExchanges, GiveTheReportThatWasWrittenWithThem) {
  for (const std::string model : {"resnet18", "gpt_small"}) {
    const Json report = Json::read_file(kFolder + model + "-report.json");
    for (const Json& point : report.at("points").items()) {
      SCOPED_TRACE(model + " " + point.at("label").text() + " " + point.at("learners").dump(-1));
      const PointReport now = again(model, point);
      EXPECT_NEAR(now.step_seconds.mean, point.at("step_seconds").number(), 1e-9);
      EXPECT_NEAR(now.encode_seconds.mean, point.at("encode_seconds").number(), 1e-9);
      EXPECT_NEAR(now.decode_seconds.mean, point.at("decode_seconds").number(), 1e-9);
      EXPECT_EQ(now.bytes_sent_per_learner.mean, point.at("bytes_sent_per_learner").number());
      EXPECT_NEAR(*now.wire_ratio, point.at("compression_ratio").at("wire").number(), 1e-9);
      EXPECT_NEAR(now.contraction->mean, point.at("contraction").number(), 1e-9);
      if (now.build_up)
        EXPECT_NEAR(now.build_up->final_union.mean, point.at("build_up").at("final").number(), 1e-9);
      else
        EXPECT_TRUE(point.at("build_up").is_null());
    }
  }
}

}  // namespace
}  // namespace traincast
