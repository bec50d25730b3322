#include "base/child_processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/error.hpp"

namespace traincast {
namespace {

using testing::HasSubstr;

std::string failure(const std::function<std::string(std::size_t)>& task) {
  try {
    run_in_children(1, 1, task, nullptr);
  } catch (const SimulationError& error) {
    return error.what();
  }
  return "";
}

TEST(ChildProcesses, GiveResultsInOrder) {
  std::vector<std::size_t> ended;
  auto results = run_in_children(
      20, 3, [](std::size_t i) { return std::string(i * 10'000, static_cast<char>('a' + i)); },
      [&](std::size_t i) { ended.push_back(i); });
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(results[i], std::string(i * 10'000, static_cast<char>('a' + i)));
  EXPECT_EQ(ended.size(), 20U);
}

TEST(ChildProcesses, LeaveThisProcessAsItWas) {
  int changed = 0;
  run_in_children(
      1, 1, [&](std::size_t) { return std::to_string(++changed); }, nullptr);
  EXPECT_EQ(changed, 0);
}

TEST(ChildProcesses, ThrowWhatTheTaskThrew) {
  EXPECT_THROW(run_in_children(
                   1, 1, [](std::size_t) -> std::string { throw InputError("bad"); }, nullptr),
               InputError);
  EXPECT_EQ(failure([](std::size_t) -> std::string { throw SimulationError("replay: stuck"); }),
            "replay: stuck");
  EXPECT_EQ(failure([](std::size_t) -> std::string { throw std::out_of_range("at"); }), "replay: at");
}

TEST(ChildProcesses, NameTheSignalThatKilledOne) {
  EXPECT_EQ(failure([](std::size_t) -> std::string {
              std::raise(SIGKILL);
              return "";
            }),
            "replay: a child process was killed by signal 9 (Killed)");
  EXPECT_EQ(failure([](std::size_t) -> std::string { ::_exit(7); }),
            "replay: a child process ended without a result, with exit code 7");
}

TEST(ChildProcesses, AreNotStartedBesideThreads) {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::thread other([&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return over; });
  });
  EXPECT_THAT(failure([](std::size_t) { return std::string(); }),
              HasSubstr("while this process has 2 threads"));
  {
    std::lock_guard lock(mutex);
    over = true;
  }
  changed.notify_all();
  other.join();
}

}  // namespace
}  // namespace traincast
