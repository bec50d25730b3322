// Work on many things by several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace traincast {

/// Calls f(i, worker) for every i below `count`, at most `threads` at a time, each worker's calls one after
/// the other; worker 0 is the calling thread. After an exception nothing new is begun, and the first is
/// thrown here.
template <class F>
void in_parallel(std::size_t count, unsigned threads, F&& f) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  auto work = [&](unsigned worker) {
    try {
      for (std::size_t i; (i = next++) < count;) f(i, worker);
    } catch (...) {
      next = count;
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned worker = 1; worker < std::min<std::size_t>(threads, count); ++worker)
      helpers.emplace_back(work, worker);
    work(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace traincast
