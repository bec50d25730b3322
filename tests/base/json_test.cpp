#include "base/json.hpp"

#include <gtest/gtest.h>

#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

TEST(Json, KeepsTheOrderOfMembersAndEveryNumber) {
  std::string text = R"({"b":1,"a":[0.1,-2,1e300,true,null,"x\n"],"c":{}})";
  EXPECT_EQ(Json::parse(text, "f").dump(-1), R"({"b":1,"a":[0.1,-2,1e+300,true,null,"x\n"],"c":{}})");
}

TEST(Json, RefusesDuplicateKeysWithTheirPlace) {
  EXPECT_EQ(refusal([] { Json::parse(R"({"a": [0, {"k": 1, "k": 2}]})", "f.json"); }),
            "f.json:/a/1/k: the key stands twice");
}

TEST(Json, RefusesWhatFollowsTheValue) {
  EXPECT_THAT(refusal([] { Json::parse("{} x", "f.json"); }),
              testing::StartsWith("f.json: not JSON: parse error"));
  EXPECT_EQ(refusal([] { Json::parse(std::string_view("{}\0junk", 7), "f.json"); }),
            "f.json: not JSON: contains a NUL byte");
}

TEST(Json, RefusesEndlessNesting) {
  std::string deep(100000, '[');
  EXPECT_THAT(refusal([&] { Json::parse(deep, "f"); }), testing::HasSubstr("nested more than 64 deep"));
}

TEST(Json, RefusesEmptyAndTruncatedText) {
  for (const char* text : {"", " ", "{", "[1,", "\"a", "tru", "{\"a\":}", "\xff\xfe"})
    EXPECT_THAT(refusal([&] { Json::parse(text, "f"); }), testing::StartsWith("f: not JSON")) << text;
}

TEST(JsonPointer, UnescapesAndJoins) {
  EXPECT_EQ(pointer_tokens("/a~1b/~0"), (std::vector<std::string>{"a/b", "~"}));
  EXPECT_EQ(pointer_join("/x", "a/b~"), "/x/a~1b~0");
  EXPECT_TRUE(pointer_tokens("").empty());
  EXPECT_EQ(refusal([] { pointer_tokens("a"); }),
            "'a' is no JSON pointer: it begins with '/', as in /platform/bandwidth");
}

TEST(JsonPointer, SetsThroughObjectsAndArraysAndMakesMissingMembers) {
  Json root = Json::parse(R"({"a": [1, {"b": 2}]})", "f");
  set_at_pointer(root, "/a/1/b", 3, "set");
  set_at_pointer(root, "/new/deep", "x", "set");
  EXPECT_EQ(root.dump(-1), R"({"a":[1,{"b":3}],"new":{"deep":"x"}})");
  EXPECT_EQ(refusal([&] { set_at_pointer(root, "/a/2", 0, "set"); }),
            "set: '2' is no index of the 2 items at '/a'");
  EXPECT_EQ(refusal([&] { set_at_pointer(root, "/new/deep/er", 0, "set"); }),
            "set: '/new/deep' is \"x\", which has no members");
}

TEST(JsonReader, NamesFilePointerValueAndTheNearestKey) {
  Json root = Json::parse(R"({"density": "a lot", "denisty": 1})", "s.json");
  JsonReader reader(root, "s.json");
  EXPECT_EQ(refusal([&] { reader.at("density").number(); }),
            "s.json:/density: must be a number, got \"a lot\"");
  EXPECT_EQ(refusal([&] { reader.at("rank"); }), "s.json: key 'rank' is missing");
  EXPECT_EQ(refusal([&] {
              reader.only(std::vector<std::string>{"density", "rank"});
            }),
            "s.json:/denisty: unknown key; did you mean 'density'?; known: density, rank");
}

}  // namespace
}  // namespace traincast
