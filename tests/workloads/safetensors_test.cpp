#include "workloads/trace/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

std::string file_of(const std::string& json, std::size_t data_bytes) {
  std::uint64_t size = json.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + json + std::string(data_bytes, '\0');
}

SafetensorsHeader header_of(const std::string& path) {
  InputFile file(path);
  return parse_safetensors_header(read_safetensors_json(file), file.size(), path);
}

std::string error_of_bytes(const std::string& bytes) {
  ScratchFolder folder;
  write_text_file(folder / "x", bytes);
  return without(refusal([&] { header_of(folder / "x"); }), folder.path());
}

TEST(Safetensors, WritesWhatTheReferenceWrites) {
  // test_serialization of the reference's own tests.
  std::vector<SafetensorsTensor> tensors{{"attn.0", "F32", {1, 2, 3}, 0, 24}};
  std::string expected = R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})";
  ASSERT_EQ(expected.size(), 64u);
  EXPECT_EQ(safetensors_header_bytes(tensors), file_of(expected, 0));
  // test_empty: padded with spaces to a multiple of eight.
  EXPECT_EQ(safetensors_header_bytes({}), file_of("{}      ", 0));
}

TEST(Safetensors, ReadsBackWhatItWrites) {
  std::vector<SafetensorsTensor> tensors{
      {"a", "F32", {2, 3}, 0, 24}, {"none", "F16", {0}, 24, 24}, {"scalar", "F64", {}, 24, 32}};
  ScratchFolder folder;
  write_text_file(folder / "x", safetensors_header_bytes(tensors) + std::string(32, '\0'));
  SafetensorsHeader header = header_of(folder / "x");
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.data_begin % 8, 0u);
  EXPECT_EQ(header.find("scalar")->shape, std::vector<std::int64_t>{});
  EXPECT_EQ(header.find("a")->end, 24u);
  EXPECT_EQ(header.find("b"), nullptr);
}

TEST(Safetensors, KeepsMetadata) {
  ScratchFolder folder;
  write_text_file(folder / "x", file_of(R"({"__metadata__":{"format":"pt"}})", 0));
  SafetensorsHeader header = header_of(folder / "x");
  ASSERT_EQ(header.metadata.size(), 1u);
  EXPECT_EQ(header.metadata[0].second, "pt");
}

struct Malformed {
  const char* name;
  std::string json;
  std::size_t data;
  std::string message;
};

std::string one(const std::string& entry) { return "{\"a\":" + entry + "}"; }

std::string many_ones(int count) {
  std::string list = "1";
  for (int i = 1; i < count; ++i) list += ",1";
  return list;
}

const Malformed kMalformed[] = {
    {"EmptyHeader", "", 0, "x: its header does not begin with '{'"},
    {"LeadingSpace", " {}", 0, "x: its header does not begin with '{'"},
    {"List", "[]", 0, "x: its header does not begin with '{'"},
    {"Nul", std::string("{}\0{", 4), 0, "x: not JSON: contains a NUL byte"},
    {"TensorTwice",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
     1, "x:/a: the key stands twice"},
    {"FieldTwice", one(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})"), 1,
     "x:/a/dtype: the key stands twice"},
    {"MetadataTwice", R"({"__metadata__":{"k":"1","k":"2"}})", 0, "x:/__metadata__/k: the key stands twice"},
    {"MetadataNumber", R"({"__metadata__":{"k":1}})", 0,
     "x: __metadata__ must be an object of strings, got {\"k\":1}"},
    {"NoObject", one("3"), 0, "x: tensor 'a': must be an object with dtype, shape and data_offsets, got 3"},
    {"ExtraField", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"shap":1})"), 1,
     "x: tensor 'a': unknown field 'shap'; did you mean 'shape'?; known: data_offsets, dtype, shape"},
    {"NoType", one(R"({"shape":[1],"data_offsets":[0,1]})"), 1, "x: tensor 'a': field 'dtype' is missing"},
    {"NoShape", one(R"({"dtype":"U8","data_offsets":[0,1]})"), 1, "x: tensor 'a': field 'shape' is missing"},
    {"NoOffsets", one(R"({"dtype":"U8","shape":[1]})"), 1, "x: tensor 'a': field 'data_offsets' is missing"},
    {"TypeNumber", one(R"({"dtype":32,"shape":[1],"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': dtype must be a string, got 32"},
    {"TypeUnknown", one(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})"), 4,
     "x: tensor 'a': unknown dtype 'F31'; did you mean 'F32'?; known: BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, "
     "U16, "
     "F16, BF16, I32, U32, F32, F64, I64, U64"},
    {"ShapeNumber", one(R"({"dtype":"U8","shape":1,"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': shape must be a list of whole numbers, got 1"},
    {"ShapeFraction", one(R"({"dtype":"U8","shape":[1.0],"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': shape must be a list of whole numbers, got [1.0]"},
    {"ShapeNegative", one(R"({"dtype":"U8","shape":[-1],"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': shape must be a list of whole numbers, got [-1]"},
    {"ShapeDeep", one(R"({"dtype":"U8","shape":[[1]],"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': shape must be a list of whole numbers, got [[1]]"},
    {"ShapeLong", one(R"({"dtype":"U8","shape":[)" + many_ones(65) + R"(],"data_offsets":[0,1]})"), 1,
     "x: tensor 'a': shape has 65 entries; at most 64 are allowed"},
    {"ShapeOverflow", one(R"({"dtype":"F32","shape":[4294967296,1073741824],"data_offsets":[0,0]})"), 0,
     "x: tensor 'a': shape [4294967296,1073741824] of F32 takes more than 2^64 bytes"},
    {"OneOffset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1]})"), 1,
     "x: tensor 'a': data_offsets must be two whole numbers, the first not above the second, got [1]"},
    {"OffsetsBackwards", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})"), 1,
     "x: tensor 'a': data_offsets must be two whole numbers, the first not above the second, got [1,0]"},
    {"OffsetsHuge", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]})"), 1,
     "x: tensor 'a': data_offsets must be a list of whole numbers, got [0,1.8446744073709552e+19]"},
    {"SizeMismatch", one(R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,20]})"), 20,
     "x: tensor 'a': shape [2,3] of F32 takes 24 bytes, but data_offsets [0,20] hold 20"},
    {"HoleFirst", one(R"({"dtype":"U8","shape":[1],"data_offsets":[8,9]})"), 9,
     "x: tensor 'a': its data begin at 8, but the first must begin at 0"},
    {"Hole",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
     3, "x: tensor 'b': its data begin at 2, but those of 'a' end at 1"},
    {"Overlap",
     R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
     2, "x: tensor 'b': its data begin at 1, but those of 'a' end at 2"},
    {"Misaligned", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} ", 4,
     "x: tensor 'a': its data begin at byte 63 of the file, which is no multiple of the size of F32"},
    {"Trailing", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})"), 2,
     "x: tensor 'a', the last, ends at byte 62, but the file has 63"},
    {"Truncated", one(R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})"), 5,
     "x: tensor 'a', the last, ends at byte 70, but the file has 66"},
    {"TrailingWithoutTensors", "{}", 1, "x: its header ends at byte 10, but the file has 11"},
};

TEST(Safetensors, RefusesEveryMalformedHeaderWithItsReason) {
  for (const Malformed& bad : kMalformed)
    EXPECT_EQ(error_of_bytes(file_of(bad.json, bad.data)), bad.message) << bad.name;
}

TEST(Safetensors, RefusesWhatIsNoJson) {
  // What follows the place are the parser's own words, which change with its version.
  const std::pair<std::string, std::string> kBad[] = {
      {"{\"a\"", "line 1, column 5"}, {"{\"\xff\":1}", "line 1, column 3"}, {"{}x", "line 1, column 3"}};
  for (const auto& [json, place] : kBad)
    EXPECT_THAT(error_of_bytes(file_of(json, 0)),
                testing::StartsWith("x: not JSON: parse error at " + place));
}

TEST(Safetensors, RefusesLengthsThatCannotBe) {
  EXPECT_EQ(error_of_bytes("1234567"),
            "x: has 7 bytes; a safetensors file begins with 8 that give the length of its header");
  EXPECT_EQ(error_of_bytes(std::string("\x09\0\0\0\0\0\0\0{}", 10)),
            "x: its header would end at byte 17, but the file has 10");
  EXPECT_EQ(error_of_bytes(std::string(8, '\xff') + "{}"),
            "x: gives its header a length of 18446744073709551615 bytes; at most 4194304 are accepted");
}

TEST(Safetensors, RefusesAHeaderThatIsNestedWithoutEnd) {
  EXPECT_THAT(error_of_bytes(file_of("{\"a\":" + std::string(100000, '['), 0)),
              testing::HasSubstr("nested more than 64 deep"));
}

TEST(Safetensors, RefusesAFileThatIsNone) {
  ScratchFolder folder;
  EXPECT_EQ(without(refusal([&] { header_of(folder / "missing"); }), folder.path()),
            "missing: cannot be read: No such file or directory");
  EXPECT_EQ(refusal([&] { header_of(folder.path()); }),
            folder.path() + ": cannot be read: not a regular file");
}

TEST(Safetensors, RefusesEveryTruncationOfASoundFile) {
  std::vector<SafetensorsTensor> tensors{{"a", "F32", {2}, 0, 8}, {"b", "F32", {1}, 8, 12}};
  std::string bytes = safetensors_header_bytes(tensors) + std::string(12, '\0');
  ScratchFolder folder;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_text_file(folder / "x", bytes.substr(0, size));
    EXPECT_THROW(header_of(folder / "x"), InputError) << size;
  }
}

}  // namespace
}  // namespace traincast
