// Captures as the command line asks for them.
#pragma once

#include <string>
#include <vector>

#include "workloads/capture/capture.hpp"
#include "workloads/capture/capture_options.hpp"

namespace traincast {

inline const std::string kSmallMlp =
    R"({"name": "mlp", "hidden": [16, 12], "batch": 4, "samples_per_learner": 64, "data": {"name": "images", "noise": 0.2}, "learning_rate": 0.05})";

inline CaptureRequest request_for(const std::string& workload, std::uint32_t learners, std::uint64_t steps,
                                  unsigned threads, const std::string& out, std::uint64_t seed = 0) {
  const std::vector<std::string> words{"--workload", workload,
                                       "--learners", std::to_string(learners),
                                       "--steps",    std::to_string(steps),
                                       "--threads",  std::to_string(threads),
                                       "--out",      out,
                                       "--seed",     std::to_string(seed),
                                       "--device",   "cpu"};
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return parse_command_line(arguments)->request;
}

inline CaptureResult run(const CaptureRequest& request) {
  std::atomic<bool> stop{false};
  return capture(request, stop);
}

}  // namespace traincast
