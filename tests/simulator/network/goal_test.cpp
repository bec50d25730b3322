#include "simulator/collectives/goal.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "tests/simulator/network/network_support.hpp"

namespace traincast {
namespace {

struct Operation {
  bool sends = false;
  Bytes bytes = 0;
  Rank peer = 0;
  std::uint64_t tag = 0;
  std::vector<std::string> requirements;
};
using Ranks = std::vector<std::map<std::string, Operation>>;

Ranks parse(const std::string& text) {
  std::istringstream in(text);
  std::string word;
  std::size_t ranks = 0, rank = 0;
  EXPECT_TRUE(in >> word >> ranks && word == "num_ranks");
  Ranks all(ranks);
  while (in >> word) {
    std::string verb, at, direction, tag;
    if (word == "}") continue;
    if (word == "rank") {
      in >> rank >> verb;
    } else if (word.back() == ':') {
      Operation operation;
      in >> verb >> at >> direction >> operation.peer >> tag >> operation.tag;
      operation.sends = verb == "send";
      operation.bytes = std::stoull(at);
      EXPECT_EQ(at.back(), 'b');
      EXPECT_EQ(direction, operation.sends ? "to" : "from");
      EXPECT_EQ(tag, "tag");
      EXPECT_TRUE(all.at(rank).emplace(word.substr(0, word.size() - 1), operation).second);
    } else {
      in >> verb >> at;
      EXPECT_EQ(verb, "requires");
      EXPECT_TRUE(all.at(rank).contains(at));
      all.at(rank).at(word).requirements.push_back(at);
    }
  }
  return all;
}

// Carries out what can be: sends at once, receipts with the send of their tag.
std::size_t left_over(const Ranks& ranks) {
  std::set<std::pair<std::size_t, std::string>> done;
  std::map<std::tuple<std::size_t, std::size_t, std::uint64_t>, Bytes> under_way;
  std::size_t all = 0;
  for (const auto& operations : ranks) all += operations.size();
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank)
      for (const auto& [label, operation] : ranks[rank]) {
        bool ready = !done.contains({rank, label});
        for (const std::string& other : operation.requirements) ready = ready && done.contains({rank, other});
        if (!ready) continue;
        if (operation.sends) {
          EXPECT_TRUE(under_way.insert({{rank, operation.peer, operation.tag}, operation.bytes}).second)
              << "the tag occurs twice";
        } else {
          auto message = under_way.find({operation.peer, rank, operation.tag});
          if (message == under_way.end()) continue;
          EXPECT_EQ(message->second, operation.bytes);
        }
        done.insert({rank, label});
        moved = true;
      }
  }
  return all - done.size();
}

std::string goal(const std::vector<std::shared_ptr<const Schedule>>& collectives) {
  std::ostringstream out;
  write_goal(out, collectives);
  return out.str();
}

Collective collective_of(Word word, std::uint32_t ranks) {
  std::size_t sizes = word == Word::broadcast ? 1 : word == Word::all_to_all ? ranks * ranks : ranks;
  return {.word = word, .ranks = ranks, .count = 1000, .bytes = std::vector<Bytes>(sizes, 30), .group = 2};
}

TEST(Goal, IsWrittenAsLogGOPSimReadsIt) {
  EXPECT_EQ(goal({make_schedule("ring", Collective{.ranks = 2, .count = 1})}),
            "num_ranks 2\n"
            "\nrank 0 {\n"
            "l1: send 1b to 1 tag 0\n"
            "l2: recv 4b from 1 tag 0\n"
            "l3: send 4b to 1 tag 1\n"
            "l3 requires l1\n"
            "l3 requires l2\n"
            "l4: recv 1b from 1 tag 1\n"
            "l4 requires l2\n"
            "}\n"
            "\nrank 1 {\n"
            "l1: send 4b to 0 tag 0\n"
            "l2: recv 1b from 0 tag 0\n"
            "l3: send 1b to 0 tag 1\n"
            "l3 requires l1\n"
            "l3 requires l2\n"
            "l4: recv 4b from 0 tag 1\n"
            "l4 requires l2\n"
            "}\n");
}

TEST(Goal, MatchesEverySendWithOneReceiptInEveryAlgorithm) {
  for (Word word : kWords)
    for (const auto& entry : collective_catalog(word).entries())
      for (std::uint32_t ranks : {2U, 6U, 7U, 8U}) {
        Collective collective = collective_of(word, ranks);
        if (!entry.make.refuses(collective).empty()) continue;
        Ranks parsed = parse(goal({entry.make.schedule(collective)}));
        ASSERT_EQ(parsed.size(), ranks);
        EXPECT_EQ(left_over(parsed), 0U) << to_string(word) << ' ' << entry.name << " of " << ranks;
      }
}

TEST(Goal, LetsARankEnterTheNextCollectiveWhenItIsThrough) {
  auto ring = [](std::uint64_t count) -> std::shared_ptr<const Schedule> {
    return make_schedule("ring", Collective{.ranks = 3, .count = count});
  };
  Ranks parsed =
      parse(goal({ring(3), make_schedule("bidirectional_ring", {.ranks = 3, .count = 6}), ring(9)}));
  EXPECT_EQ(left_over(parsed), 0U);
  // A ring of 3 is 8 operations: l7 sends and l8 takes last; the two channels follow with 8 each.
  for (const char* first : {"l9", "l17"})
    EXPECT_EQ(parsed[0].at(first).requirements, (std::vector<std::string>{"l7", "l8"})) << first;
  EXPECT_EQ(parsed[0].at("l25").requirements, (std::vector<std::string>{"l15", "l16", "l23", "l24"}));
  EXPECT_EQ(parsed[0].at("l25").tag, 8U);  // 4 from the first ring and 4 of a channel have gone to rank 1
}

}  // namespace
}  // namespace traincast
