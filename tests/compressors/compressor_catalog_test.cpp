#include "compressors/compressor_catalog.hpp"

#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast::testing {
namespace {

std::string refusal(const char* json) {
  try {
    make_compressor(json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CompressorCatalog, HasSoundParameterTables) {
  for (const auto& entry : compressor_catalog().entries()) {
    EXPECT_EQ(table_error(entry.parameters), "") << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_FALSE(entry.source.empty()) << entry.name;
  }
}

TEST(CompressorCatalog, SaysWhatIsWrongAndWhatIsKnown) {
  EXPECT_EQ(
      refusal(R"({"name": "topkk", "density": 1})"),
      "test:/name: unknown compressor 'topkk'; did you mean 'topk'?; known: none, topk, scalecom, powersgd");
  EXPECT_EQ(refusal(R"({"name": "topk", "density": 0})"), "test:/density: must lie in (0, 1], got 0");
  EXPECT_EQ(refusal(R"({"name": "powersgd", "rank": 0})"), "test:/rank: must lie in [1, inf), got 0");
  EXPECT_EQ(refusal(R"({"name": "none", "precision": "fp8"})"),
            "test:/precision: unknown word 'fp8'; did you mean 'fp32'?; known: fp32, bf16");
}

TEST(CompressorCatalog, GivesTheReasonWhyAPlannedMethodIsMissing) {
  EXPECT_EQ(
      refusal(R"({"name": "qsgd", "levels": 4})"),
      "test:/name: compressor 'qsgd' is not in this version: quantised methods come with a later version; "
      "known: none, topk, scalecom, powersgd");
  EXPECT_EQ(
      refusal(R"("local_sgd")"),
      "test: compressor 'local_sgd' is not in this version: it needs training in the loop, which comes with "
      "a later version; known: none, topk, scalecom, powersgd");
}

}  // namespace
}  // namespace traincast::testing
