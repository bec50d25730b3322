#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;

TEST(Tbq, WritesTheBytesOfHiPressAndMxnet) {
  CodecRun hipress(R"({"name": "tbq", "threshold": 1, "layout": "hipress"})");
  CodecRun mxnet(R"({"name": "tbq", "threshold": 1})");
  EXPECT_THAT(bytes_of(hipress.encode(kGolden)), ElementsAre(0x61, 0x49));
  EXPECT_THAT(bytes_of(mxnet.encode(kGolden)), ElementsAre(0x2C, 0x38));
  for (CodecRun* codec : {&hipress, &mxnet})
    EXPECT_THAT(codec->sent(kGolden), ElementsAre(0, -1, 1, 0, 0, 1, -1, 0));
}

TEST(Tbq, KeepsWhatIsLeft) {
  for (const char* json :
       {R"({"name": "tbq", "threshold": 1})", R"({"name": "tbq", "threshold": 1, "layout": "hipress"})"}) {
    UnitRun run(json, 1, one_tensor({8}));
    run.step({kGolden});
    EXPECT_THAT(run.memory(0), ElementsAre(.5f, 0, 1, -.25f, 0, .5f, -2, .125f));
  }
}

// MXNet's "1bit": above the threshold 1, else −1, whatever the threshold.
TEST(Tbq, WritesMxnetsSingleBits) {
  const char* json = R"({"name": "tbq", "threshold": 0, "layout": "mxnet_one"})";
  EXPECT_THAT(bytes_of(CodecRun(json).encode(kGolden)), ElementsAre(0xA5));
  UnitRun run(json, 1, one_tensor({8}));
  EXPECT_THAT(run.step({kGolden}).average, ElementsAre(1, -1, 1, -1, -1, 1, -1, 1));
  EXPECT_THAT(run.memory(0), ElementsAre(-.5f, 0, 1, .75f, 1, .5f, -2, -.875f));
  for (const char* beyond : {"0", "1e-50", "1e39"})  // of floats
    EXPECT_THROW(make_compressor(R"({"name": "tbq", "threshold": )" + std::string(beyond) + "}"), InputError);
}

}  // namespace
}  // namespace traincast
