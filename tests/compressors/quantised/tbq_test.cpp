#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/codec_harness.hpp"

namespace traincast::testing {
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
  UnitRun run(R"({"name": "tbq", "threshold": 1})", 1, one_tensor({8}));
  run.step({kGolden});
  EXPECT_THAT(run.memory(0), ElementsAre(.5f, 0, 1, -.25f, 0, .5f, -2, .125f));
}

}  // namespace
}  // namespace traincast::testing
