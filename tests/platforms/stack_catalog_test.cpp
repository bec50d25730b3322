#include <gtest/gtest.h>

#include "platforms/stack.hpp"

namespace traincast {
namespace {

class EveryStack : public ::testing::TestWithParam<std::string> {
 protected:
  const Entry<MakeStack>& entry() const {
    Json bare(GetParam());
    return stack_catalog().find(JsonReader(bare, "test"));
  }
  Stack made() const {
    Json bare(GetParam());
    return entry().make(read_parameters(JsonReader(bare, "test"), entry().name, entry().parameters));
  }
};
INSTANTIATE_TEST_SUITE_P(Stacks, EveryStack, ::testing::ValuesIn(stack_catalog().names()),
                         [](const auto& name) {
                           std::string identifier = name.param;
                           for (char& c : identifier)
                             if (c == '-') c = '_';
                           return identifier;
                         });

TEST_P(EveryStack, HasASoundTableOfParameters) { EXPECT_EQ(table_error(entry().parameters), ""); }

TEST_P(EveryStack, NamesTheSourceOfItsNumbersUnlessItHasNone) {
  EXPECT_EQ(entry().source.empty(), entry().parameters.empty());
}

TEST_P(EveryStack, HasCostsThatCanBe) {
  Stack stack = made();
  EXPECT_GE(stack.launch_s, 0);
  EXPECT_GE(stack.slowdown, 0);
  EXPECT_LT(stack.slowdown, 1);
  for (const Stack::Protocol& protocol : stack.protocols) {
    EXPECT_GE(protocol.latency_s, 0);
    EXPECT_GT(protocol.efficiency, 0);
    EXPECT_LE(protocol.efficiency, 1);
  }
}

TEST(StackCatalog, NcclNeverRunsHalvingDoubling) {
  Json bare("nccl");
  const auto& entry = stack_catalog().find(JsonReader(bare, "test"));
  Stack nccl = entry.make(read_parameters(JsonReader(bare, "test"), entry.name, entry.parameters));
  auto allowed = nccl.algorithms(Word::all_reduce);
  ASSERT_TRUE(allowed);
  for (std::string_view name : *allowed) EXPECT_NE(name, "halving_doubling");
}

TEST(StackCatalog, ANumberOfAStackCanBeReplaced) {
  Json own = Json::parse(R"({"name": "nccl", "free_hops": true, "slowdown": 0})", "test");
  JsonReader reader(own, "test");
  const auto& entry = stack_catalog().find(reader);
  Stack nccl = entry.make(read_parameters(reader, entry.name, entry.parameters));
  EXPECT_EQ(nccl.summation + nccl.merging + nccl.recompression + nccl.slowdown, 0);
  EXPECT_DOUBLE_EQ(nccl.launch_s, 8.4e-6);
}

}  // namespace
}  // namespace traincast
