#include "base/parameters.hpp"

#include <gtest/gtest.h>

#include "base/catalog.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

constexpr Parameter kTable[] = {{"density", Unit::ratio, "(0, 1]", kRequired, "share of entries kept"},
                                {"rank", Unit::count, "[1, inf)", "2", "rank"},
                                {"hidden", Unit::counts, "[1, inf)", "[8]", "widths"},
                                {"bandwidth", Unit::bandwidth, "(0Gbps, inf)", "10Gbps", "of a link"},
                                {"mode", Unit::word, "fast|slow", "fast", "speed"},
                                {"encode", Unit::durations, "[0s, inf)", "{}", "by method"},
                                {"warm", Unit::flag, "", "true", "reuse"},
                                {"weights", Unit::ratios, "[0, 1]", "0.5", "of each"}};

Parameters read(const char* text) {
  Json json = Json::parse(text, "s.json");
  return read_parameters(JsonReader(json, "s.json", "/compressor"), "thing", kTable);
}

TEST(Parameters, AreCheckedConvertedAndEchoedWithDefaults) {
  Parameters p =
      read(R"({"name": "thing", "density": 0.5, "bandwidth": "1GBps", "encode": {"topk": "2ms"}})");
  EXPECT_EQ(p.number("density"), 0.5);
  EXPECT_EQ(p.count("rank"), 2);
  EXPECT_EQ(p.counts("hidden"), std::vector<std::int64_t>{8});
  EXPECT_EQ(p.number("bandwidth"), 1e9);
  EXPECT_EQ(p.word("mode"), "fast");
  EXPECT_TRUE(p.flag("warm"));
  EXPECT_EQ(p.ratios("weights"), std::vector<double>{0.5});
  EXPECT_EQ(read(R"({"density": 1, "weights": [0.25, 1]})").ratios("weights"),
            (std::vector<double>{0.25, 1}));
  EXPECT_EQ(p.durations("encode").at(0).second, 2e-3);
  EXPECT_EQ(p.resolved().dump(-1),
            R"({"name":"thing","density":0.5,"rank":2,"hidden":[8],"bandwidth":"1GBps","mode":"fast",)"
            R"("encode":{"topk":"2ms"},"warm":true,"weights":0.5})");
}

TEST(Parameters, RefuseEveryKindOfMistakeWithItsPlace) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : {
           Case{R"({"name": "thing"})",
                "s.json:/compressor: key 'density' is missing (number in (0, 1]: share of entries kept)"},
           Case{R"({"density": 0})", "s.json:/compressor/density: must lie in (0, 1], got 0"},
           Case{R"({"density": 1.5})", "s.json:/compressor/density: must lie in (0, 1], got 1.5"},
           Case{R"({"density": "1"})", "s.json:/compressor/density: must be a number, got \"1\""},
           Case{R"({"density": 1, "rank": 1.5})", "s.json:/compressor/rank: must be a whole number, got 1.5"},
           Case{R"({"density": 1, "rank": 0})", "s.json:/compressor/rank: must lie in [1, inf), got 0"},
           Case{R"({"density": 1, "hidden": [4, 0]})",
                "s.json:/compressor/hidden/1: must lie in [1, inf), got 0"},
           Case{R"({"density": 1, "hidden": 4})", "s.json:/compressor/hidden: must be a list, got 4"},
           Case{R"({"density": 1, "bandwidth": 10})",
                "s.json:/compressor/bandwidth: must be a bandwidth with its unit, as in \"10Gbps\", got 10"},
           Case{R"({"density": 1, "bandwidth": "10GB"})",
                "s.json:/compressor/bandwidth: is not a bandwidth with its unit, as in \"10Gbps\": got "
                "\"10GB\""},
           Case{R"({"density": 1, "bandwidth": "0Gbps"})",
                "s.json:/compressor/bandwidth: must lie in (0Gbps, inf), got \"0Gbps\""},
           Case{R"({"density": 1, "mode": "fsat"})",
                "s.json:/compressor/mode: unknown word 'fsat'; did you mean 'fast'?; known: fast, slow"},
           Case{R"({"density": 1, "encode": {"topk": 2}})",
                "s.json:/compressor/encode/topk: must be a duration with its unit, as in \"5us\", got 2"},
           Case{R"({"density": 1, "weights": 2})", "s.json:/compressor/weights: must lie in [0, 1], got 2"},
           Case{R"({"density": 1, "weights": [0, 2]})",
                "s.json:/compressor/weights/1: must lie in [0, 1], got 2"},
           Case{R"({"density": 1, "weights": "1"})",
                "s.json:/compressor/weights: must be a number, got \"1\""},
           Case{R"({"density": 1, "warm": 1})", "s.json:/compressor/warm: must be true or false, got 1"},
           Case{R"({"density": 1, "wram": true})",
                "s.json:/compressor/wram: unknown key; did you mean 'warm'?; known: name, density, rank, "
                "hidden, "
                "bandwidth, mode, encode, warm, weights"},
       })
    EXPECT_EQ(refusal([&] { read(c.text); }), c.message);
}

// What an entry reads itself is handed over with its place.
TEST(Parameters, NestedThingsKeepTheirPlaces) {
  constexpr Parameter kNested[] = {{"method", Unit::choice, "", "none", "a method"},
                                   {"rules", Unit::choices, "", "[]", "of {method}"}};
  EXPECT_EQ(table_error(kNested), "");
  auto read_nested = [&](const Json& json) {
    return read_parameters(JsonReader(json, "s.json", "/compressor"), "", kNested);
  };
  Json json = Json::parse(R"({"rules": [{"a": 1}, {"a": 2}]})", "s.json");
  Parameters p = read_nested(json);
  EXPECT_EQ(p.choice("method").text(), "none");
  ASSERT_EQ(p.choices("rules").size(), 2u);
  EXPECT_EQ(refusal([&] { p.choices("rules")[1].at("a").refuse("is wrong"); }),
            "s.json:/compressor/rules/1/a: is wrong");
  EXPECT_EQ(refusal([&] { read_nested(Json::parse(R"({"rules": [1]})", "s.json")); }),
            "s.json:/compressor/rules/0: must be an object, got 1");
  EXPECT_EQ(refusal([&] { read_nested(Json::parse(R"({"rules": {}})", "s.json")); }),
            "s.json:/compressor/rules: must be a list, got {}");
}

TEST(Parameters, TablesThatContradictThemselvesAreFound) {
  EXPECT_EQ(table_error(kTable), "");
  constexpr Parameter kOut[] = {{"x", Unit::ratio, "(0, 1]", "2", "too large"}};
  EXPECT_EQ(table_error(kOut), "x: table:/x: must lie in (0, 1], got 2");
  constexpr Parameter kBad[] = {{"x", Unit::ratio, "0..1", "1", "no range"}};
  EXPECT_EQ(table_error(kBad), "x: range '0..1' is not of the form (0, 1]");
}

using Number = int;
constexpr Entry<Number> kEntries[] = {{"topk", "keeps the largest", "Stich 2018", kTable, 1},
                                      {"none", "keeps all", "", {}, 2}};
constexpr Planned kPlanned[] = {{"qsgd", "quantised methods come later"}};
constexpr Catalog<Number> kCatalog("compressors", "compressor", kEntries, kPlanned);

Number find(const char* text) {
  Json json = Json::parse(text, "s.json");
  return kCatalog.find(JsonReader(json, "s.json", "/compressor")).make;
}

TEST(Catalog, FindsByNameOrObject) {
  EXPECT_EQ(find(R"("none")"), 2);
  EXPECT_EQ(find(R"({"name": "topk"})"), 1);
}

TEST(Catalog, RefusesUnknownAndPlannedNamesWithWhatIsKnown) {
  EXPECT_EQ(refusal([] { find(R"({"name": "topkk"})"); }),
            "s.json:/compressor/name: unknown compressor 'topkk'; did you mean 'topk'?; known: topk, none");
  EXPECT_EQ(refusal([] { find(R"("zzz")"); }),
            "s.json:/compressor: unknown compressor 'zzz'; known: topk, none");
  EXPECT_EQ(refusal([] { find(R"("qsgd")"); }),
            "s.json:/compressor: compressor 'qsgd' is not in this version: quantised methods come later; "
            "known: topk, none");
  EXPECT_EQ(refusal([] { find("3"); }),
            "s.json:/compressor: must be the name of a compressor or an object with it, got 3");
  EXPECT_EQ(refusal([] { find("{}"); }), "s.json:/compressor: key 'name' is missing");
}

}  // namespace
}  // namespace traincast
