// collective, stack and platform: what carries a method's messages, and whether it can.
#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/scenario/scenario_keys.hpp"
#include "simulator/scenario/trial_run.hpp"

namespace traincast {

namespace {

// What methods of this version send; algorithms for other words can be listed, checked and exported.
constexpr Word kSentWords[] = {Word::all_reduce,     Word::all_gather, Word::broadcast,
                               Word::reduce_scatter, Word::all_to_all, Word::sparse_all_reduce,
                               Word::push_pull,      Word::rounds};

// Whether an algorithm can carry this many ranks depends on no size, so that it is known before any work.
void refuse_algorithms(const std::string& file, const Scenario& scenario, const Topology& topology) {
  Stack stack = scenario.stack.entry->make(scenario.stack.parameters);
  const std::uint32_t node_size =
      scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)->node_size();
  for (Word word : kSentWords) {
    const std::string& name = scenario.algorithm(word);
    if (name == "auto" || scenario.learners == 1) continue;
    if (auto allowed = stack.algorithms(word);
        allowed && std::ranges::find(*allowed, name) == allowed->end()) {
      std::vector<std::string> runs(allowed->begin(), allowed->end());
      std::string instead = "it runs " + join(runs);
      if (Word carrier = stack.carrier(word); carrier != word)
        instead = "it carries " + std::string(to_string(word)) + " as " + std::string(to_string(carrier)) +
                  ": choose there";
      else if (runs.empty())
        instead = "it does not carry " + std::string(to_string(word));
      throw PlacedError(file, pointer_join("/collective", to_string(word)),
                        "the stack '" + std::string(scenario.stack.entry->name) + "' does not run '" + name +
                            "'; " + instead);
    }
    std::vector<std::uint32_t> groups{scenario.learners};
    if (node_size > 1) groups = {node_size, scenario.learners / node_size};
    for (std::uint32_t ranks : groups) {
      Collective trial;
      trial.word = word;
      trial.ranks = ranks;
      trial.count = ranks;
      trial.bytes.assign(word == Word::all_gather || word == Word::push_pull ? ranks : 1, 1);
      if (node_size == 1)
        trial.group = std::max(topology.sharing(scenario.learners), topology.node_size(scenario.learners));
      trial.servers = topology.servers();
      for (const auto& entry : collective_catalog(word).entries()) {
        if (entry.name != name) continue;
        if (std::string reason = entry.make.refuses(trial); !reason.empty())
          throw PlacedError(file, pointer_join("/collective", to_string(word)),
                            "'" + name + "' " + reason + "; 'auto' takes one that can");
      }
    }
  }
}

}  // namespace

Json read_collective(const JsonReader& at, Scenario& scenario) {
  scenario.algorithms.fill("auto");
  std::vector<std::string> words;
  for (Word word : kSentWords) words.emplace_back(to_string(word));
  at.only_object();
  for (Word word : kWords)
    if (std::find(words.begin(), words.end(), to_string(word)) == words.end())
      if (auto given = at.find(to_string(word)))
        given->refuse("no method of this version sends it; known: " + join(words));
  at.only(words);
  Json resolved;
  for (Word word : kSentWords) {
    std::string& name = scenario.algorithms[static_cast<std::size_t>(word)];
    if (auto given = at.find(to_string(word)))
      if (!given->value().is_string() || given->value().text() != "auto")
        name = collective_catalog(word).find(*given).name;
    resolved[to_string(word)] = name;
  }
  return resolved;
}

Json collective_schema() {
  Json schema;
  schema["type"] = "object";
  for (Word word : kSentWords) {
    Json names = Json::Array{};
    names.push_back("auto");
    for (const std::string& name : collective_catalog(word).names()) names.push_back(name);
    schema["properties"][to_string(word)]["enum"] = names;
  }
  schema["additionalProperties"] = false;
  return schema;
}

Json read_stack(const JsonReader& at, Scenario& scenario) {
  scenario.stack = choose(at, stack_catalog());
  Stack stack = scenario.stack.entry->make(scenario.stack.parameters);
  if (stack.sums_at_servers &&
      scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)->node_size() > 1)
    at.refuse("sums at servers, which sub-groups of learners do not have; '" +
              std::string(scenario.compressor.entry->name) +
              "' runs its collectives within and across nodes");
  auto carries = [&](Word word) {
    auto algorithms = stack.algorithms(stack.carrier(word));
    return !algorithms || !algorithms->empty();
  };
  bool carries_all = scenario.learners == 1 || std::ranges::all_of(kWords, carries);
  for (Word word : carries_all ? std::set<Word>{} : words_sent(scenario.compressor, scenario.seed))
    if (!carries(word))
      at.refuse("'" + std::string(scenario.stack.entry->name) + "' does not carry " +
                std::string(to_string(word)) + ", which '" + std::string(scenario.compressor.entry->name) +
                "' sends; 'ideal' carries everything");
  if (scenario.stack.entry->parameters.empty()) return scenario.stack.entry->name;
  return scenario.stack.parameters.resolved();
}

Json read_platform(const JsonReader& at, Scenario& scenario) {
  scenario.platform = choose(at, topology_catalog());
  auto topology = scenario.platform.entry->make(scenario.platform.parameters);
  if (std::string reason = topology->refuses(scenario.learners); !reason.empty()) at.refuse(reason);
  refuse_algorithms(at.file(), scenario, *topology);
  return scenario.platform.parameters.resolved();
}

}  // namespace traincast
