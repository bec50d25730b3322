#include "compressors/compressor_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refusal_of(const char* json) {
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
  EXPECT_THAT(refusal_of(R"({"name": "topkk", "density": 1})"),
              StartsWith("test:/name: unknown compressor 'topkk'; did you mean 'topk'?; known: none, "));
  EXPECT_EQ(refusal_of(R"({"name": "topk", "density": 0})"), "test:/density: must lie in (0, 1], got 0");
  EXPECT_EQ(refusal_of(R"({"name": "powersgd", "rank": 0})"), "test:/rank: must lie in [1, inf), got 0");
  EXPECT_EQ(refusal_of(R"({"name": "none", "precision": "fp8"})"),
            "test:/precision: unknown word 'fp8'; did you mean 'fp32'?; known: fp32, bf16");
}

TEST(CompressorCatalog, GivesTheReasonWhyAPlannedMethodIsMissing) {
  EXPECT_THAT(
      refusal_of(R"("local_sgd")"),
      StartsWith("test: compressor 'local_sgd' is not in this version: it is a way of training, which a "
                 "scenario names under \"training\"; known: none, "));
}

// Parameters that exclude each other, each method in its own words.
TEST(CompressorCatalog, RefusesParametersThatExcludeEachOther) {
  EXPECT_THAT(
      refusal_of(R"({"name": "topk", "density": 0.1, "transport": "sparse_all_reduce", "value": "fp16"})"),
      HasSubstr("sparse_all_reduce"));
  EXPECT_THAT(refusal_of(R"({"name": "random_k", "density": 0.1, "index": "int64"})"),
              HasSubstr("no index travels"));
  EXPECT_THAT(refusal_of(R"({"name": "qsgd", "levels": 3000, "coding": "bytes"})"), HasSubstr("up to 2048"));
  EXPECT_THAT(refusal_of(R"({"name": "terngrad", "scale": "shared", "coding": "bytes"})"),
              HasSubstr("summed"));
  EXPECT_THAT(refusal_of(R"({"name": "int8", "padding": "hook"})"), HasSubstr("per"));
  EXPECT_THAT(refusal_of(R"({"name": "eden", "block": 48})"), HasSubstr("the next are 32 and 64"));
  EXPECT_THAT(refusal_of(R"({"name": "thc", "bits": 6})"), HasSubstr("need at least 63"));
  EXPECT_THAT(refusal_of(R"({"name": "scalecom", "rate": 9, "selection": "exact", "index": "packed"})"),
              HasSubstr("one entry per chunk"));
}

}  // namespace
}  // namespace traincast
