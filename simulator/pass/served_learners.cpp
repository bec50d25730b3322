#include "simulator/pass/served_learners.hpp"

namespace traincast {

std::vector<std::string> ServedLearners::command_line() const {
  return {program,
          "--folder",
          folder.empty() ? "." : folder,
          "--serve",
          "--quiet",
          "--workload",
          workload,
          "--learners",
          std::to_string(learners),
          "--seed",
          std::to_string(seed),
          "--threads",
          std::to_string(threads)};
}

}  // namespace traincast
