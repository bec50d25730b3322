#include "simulator/scenario/trial_run.hpp"

#include <numeric>

#include "base/error.hpp"
#include "compressors/error_feedback.hpp"

namespace traincast {

namespace {

// Different in every place, so that no method meets a tie or a zero.
class AnyNumbers : public GradientSource {
 public:
  void read(LearnerId, std::span<float> into) const override {
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = 1.0f + static_cast<float>(static_cast<std::uint32_t>(i * 2654435761u)) * 0x1p-32f;
  }
};

}  // namespace

std::vector<Phase> trial_phases(const Choice<MakeCompressor>& method, std::uint64_t seed, const Bucket& unit,
                                std::uint32_t learners, std::uint32_t stands_for, ErrorRule rule) {
  std::vector<LearnerId> all(learners);
  std::iota(all.begin(), all.end(), LearnerId{0});
  const std::vector<double> norms(learners, 1.0);
  Group group(learners, stands_for);
  std::vector<float> average(unit.numel());
  ErrorFeedback feedback(method.entry->make(method.parameters, seed), rule, learners, unit.numel());
  feedback.aggregate({0, 0, 1, all, norms}, unit, AnyNumbers(), group, average);
  return group.phases();
}

std::set<Word> words_sent(const Choice<MakeCompressor>& method, std::uint64_t seed) {
  const std::uint32_t learners = 2 * method.entry->make(method.parameters, seed)->node_size();
  std::set<Word> words;
  try {
    for (const TensorInfo& tensor :
         {TensorInfo{0, "matrix", {64, 64}, "linear.weight"}, TensorInfo{1, "vector", {64}, "bias"}})
      for (const Phase& phase : trial_phases(method, seed, {tensor.id, {tensor}}, learners, learners, {}))
        if (phase.op) words.insert(phase.op->word);
  } catch (const InputError&) {  // what a method refuses, it refuses with its own tensors
  }
  return words;
}

void refuse_transport_without_choice(const JsonReader& compressor) {
  if (!compressor.value().find("transport")) return;
  const Entry<MakeCompressor>& entry = compressor_catalog().find(compressor);
  for (const Parameter& parameter : entry.parameters)
    if (parameter.key == "transport") return;
  Json without{Json::Object{}};
  for (const auto& [key, value] : compressor.value().members())
    if (key != "transport") without[key] = value;
  const JsonReader rest(without, compressor.file(), compressor.pointer());
  std::vector<std::string> words;
  for (Word word : words_sent({&entry, read_parameters(rest, entry.name, entry.parameters)}, 1))
    words.emplace_back(to_string(word));
  compressor.at("transport")
      .refuse("'" + std::string(entry.name) + "' has no choice: what it sends is carried by " + join(words));
}

}  // namespace traincast
