#include "simulator/pass/served_learners.hpp"

#include "workloads/learner_protocol.hpp"

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

Manifest describe(LinkedProgram& learners, const ServedLearners& served) {
  Writer question;
  question.put(LearnerQuestion::describe);
  const Json said = Json::parse(learners.ask(question.bytes()), "traincast-capture");
  Manifest manifest;
  manifest.model = said.at("model").text();
  manifest.workload = said.at("workload");
  manifest.layers = served.layers;
  manifest.learners = served.learners;
  manifest.seed = served.seed;
  manifest.optimizer = said.at("optimizer");
  manifest.data = said.at("data");
  manifest.versions = said.at("versions");
  manifest.device = said.at("device").text();
  return manifest;
}

}  // namespace traincast
