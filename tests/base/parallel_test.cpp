#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace traincast {
namespace {

TEST(InParallel, CallsEveryIndexOnceWhateverTheThreads) {
  for (std::size_t count : {0, 1, 3, 1000})
    for (unsigned threads : {1u, 2u, 7u}) {
      std::vector<int> calls(count, 0);
      std::vector<std::size_t> of_worker(threads, 0);
      in_parallel(count, threads, [&](std::size_t i, unsigned worker) {
        ++calls[i];
        ++of_worker[worker];
      });
      EXPECT_EQ(calls, std::vector<int>(count, 1));
      std::size_t all = 0;
      for (std::size_t of_one : of_worker) all += of_one;
      EXPECT_EQ(all, count);
    }
}

TEST(InParallel, ThrowsWhatACallThrewAndBeginsNothingAfterIt) {
  std::vector<int> calls(1000, 0);
  EXPECT_THROW(in_parallel(calls.size(), 1,
                           [&](std::size_t i, unsigned) {
                             ++calls[i];
                             if (i == 3) throw std::runtime_error("the fourth");
                           }),
               std::runtime_error);
  EXPECT_EQ(calls[3], 1);
  EXPECT_EQ(calls[4], 0);
}

}  // namespace
}  // namespace traincast
