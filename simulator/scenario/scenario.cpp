#include "simulator/scenario/scenario.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/scenario/scenario_reader.hpp"
#include "simulator/scenario/trial_run.hpp"
#include "workloads/layer_table.hpp"

namespace traincast {

namespace {

constexpr std::int64_t kMostLearners = 65536;

/// A top-level key: what it holds, its default, and how it is read into a scenario.
struct Key {
  std::string_view name;
  std::string_view form;      ///< for people
  std::string_view fallback;  ///< JSON text; kRequired where the key must be given
  std::string_view help;
  Json (*read)(const JsonReader&, Scenario&);  ///< returns the resolved value
  Json (*schema)();
};

template <class Make>
Choice<Make> choose(const JsonReader& at, const Catalog<Make>& catalog) {
  const Entry<Make>& entry = catalog.find(at);
  return {&entry, read_parameters(at, entry.name, entry.parameters)};
}

template <class Make>
Json schema_of_catalog(const Catalog<Make>& catalog) {
  Json forms;
  for (const Entry<Make>& entry : catalog.entries()) {
    Json form, properties, needed = Json::Array{};
    properties["name"]["const"] = entry.name;
    needed.push_back("name");
    for (const Parameter& p : entry.parameters) {
      properties[p.key] = schema_of(p);
      if (p.fallback.data() == nullptr) needed.push_back(p.key);
    }
    if (needed.items().size() == 1) {
      Json bare;
      bare["const"] = entry.name;
      bare["description"] = entry.summary;
      forms.push_back(bare);
    }
    form["type"] = "object";
    form["description"] = entry.summary;
    form["properties"] = properties;
    form["required"] = needed;
    form["additionalProperties"] = false;
    forms.push_back(form);
  }
  Json schema;
  schema["anyOf"] = forms;
  return schema;
}

std::int64_t whole(const JsonReader& at, std::int64_t least, std::int64_t most) {
  std::int64_t n = at.integer();
  if (n < least || n > most)
    at.refuse("must lie in [" + std::to_string(least) + ", " + std::to_string(most) + "], got " + at.shown());
  return n;
}

Json whole_schema(std::int64_t least, std::int64_t most) {
  Json schema;
  schema["type"] = "integer";
  schema["minimum"] = least;
  schema["maximum"] = most;
  return schema;
}

Bucketing read_bucketing(const JsonReader& at) {
  std::string text = at.text();
  if (text == "tensor") return {Bucketing::Kind::tensor, 0, text};
  if (text == "model") return {Bucketing::Kind::model, 0, text};
  auto size = parse_quantity(text, Unit::bytes);
  if (!size)
    at.refuse("must be a size with its unit, as in \"25MiB\", or one of tensor, model, got " + at.shown());
  constexpr double kLargest = 1e15;
  if (*size < 1 || *size > kLargest) at.refuse("must lie in [1B, 1000TB], got " + at.shown());
  return {Bucketing::Kind::bytes, static_cast<Bytes>(*size), text};
}

// What methods of this version send; algorithms for other words can be listed, checked and exported.
constexpr Word kSentWords[] = {Word::all_reduce,     Word::all_gather, Word::broadcast,
                               Word::reduce_scatter, Word::all_to_all, Word::sparse_all_reduce,
                               Word::push_pull,      Word::rounds};

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

Json read_error_feedback(const JsonReader& at, Scenario& scenario) {
  at.only_object();
  Parameters parameters = read_parameters(at, "", error_feedback_parameters());
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  scenario.learner_memory = read_learner_memory(at, parameters, scenario.compressor.entry->name, *compressor);
  return parameters.resolved();
}

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

// Keys of methods to come, which readers of the field may try.
constexpr Planned kLaterCompressorKeys[] = {
    {"reference_coding",
     "methods have keys of their own for what references send: \"coding\": \"bytes\" (signs, QSGD, TernGrad, "
     "natural), \"index\": \"int64\" (sparse), \"padding\": \"hook\" (int8); packed is the default"}};

bool states_codec_times(const Scenario& scenario) {
  TimingSource source = scenario.timings.entry->make;
  return source == TimingSource::given || (source == TimingSource::recorded && !scenario.accelerator);
}

Json read_compressor(const JsonReader& at, Scenario& scenario) {
  refuse_transport_without_choice(at);
  for (const Planned& later : kLaterCompressorKeys)
    if (at.value().find(later.name))
      at.at(later.name).refuse("is not in this version: " + std::string(later.reason));
  scenario.compressor = choose(at, compressor_catalog());
  try {  // parameters that exclude each other, too many learners
    scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)
        ->refuse_learners(scenario.learners);
  } catch (const PlacedError&) {
    throw;
  } catch (const InputError& error) {
    at.refuse(error.what());
  }
  GradientSourceKind source = scenario.gradients.entry->make;
  bool drawn = source == GradientSourceKind::generated && scenario.compressor.entry->name == "topk";
  if ((source == GradientSourceKind::shapes || source == GradientSourceKind::generated) && !drawn) {
    auto method = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    if (!method->sizes_follow_from_shape())
      at.refuse(std::string("the sizes of this method's messages ") +
                (method->sizes_depend_on_values() ? "depend on values"
                                                  : "differ from step to step or from learner to learner") +
                "; it needs live gradients or a trace");
  }
  if (states_codec_times(scenario) && scenario.compressor.entry->name != "none")
    for (const char* stage : {"encode", "decode"}) {
      bool found = false;
      for (const auto& [method, seconds] : scenario.timings.parameters.durations(stage))
        found = found || method == scenario.compressor.entry->name;
      if (!found)
        throw PlacedError(at.file(), pointer_join("/timings", stage),
                          "no duration for '" + std::string(scenario.compressor.entry->name) +
                              "'; compute and codec times come from one source, so give both");
    }
  return scenario.compressor.parameters.resolved();
}

Json read_gradients(const JsonReader& at, Scenario& s) {
  s.gradients = choose(at, gradient_catalog());
  GradientSourceKind kind = s.gradients.entry->make;
  if (kind != GradientSourceKind::shapes && kind != GradientSourceKind::generated)
    return s.gradients.parameters.resolved();
  if (s.steps != 1)
    throw PlacedError(at.file(), "/steps",
                      "every step of a shape is the same, so there is 1, got " + std::to_string(s.steps));
  bool model = !s.gradients.parameters.word("model").empty();
  if (model == !s.gradients.parameters.counts("shape").empty())
    at.refuse("needs one of 'shape', as in [25000000], and 'model', as in \"resnet50\"");
  if (model) refuse_unknown_table(at.at("model"));
  return s.gradients.parameters.resolved();
}

Json read_timings(const JsonReader& at, Scenario& s) {
  s.timings = choose(at, timing_catalog());
  TimingSource source = s.timings.entry->make;
  GradientSourceKind gradients = s.gradients.entry->make;
  if (s.accelerator && source != TimingSource::accelerator && source != TimingSource::recorded)
    at.refuse(
        "compute and codec times come from one source: these, or 'accelerator'; leave one of the two out");
  if (source == TimingSource::accelerator) {
    if (!s.accelerator)
      at.refuse("there is no accelerator; name one, as in \"accelerator\": \"v100\"; known: " +
                join(accelerator_catalog().names()));
    bool lone_shape =
        (gradients == GradientSourceKind::shapes || gradients == GradientSourceKind::generated) &&
        s.gradients.parameters.word("model").empty();
    if (lone_shape || gradients == GradientSourceKind::exchange)
      throw PlacedError(
          at.file(), "/gradients",
          "an accelerator needs the FLOPs of each layer: name a model, as in {\"name\": \"shapes\", "
          "\"model\": \"resnet50\", \"batch\": 128}, or give times");
  }
  if (!has_gradients(gradients) && source == TimingSource::measured)
    at.refuse(
        "without gradients there is nothing that could be timed; name an accelerator, or give times, as in "
        "{\"name\": \"given\", \"forward\": \"5ms\", \"backward\": \"10ms\"}");
  for (const char* stage : {"encode", "decode"})
    if (source == TimingSource::given || source == TimingSource::recorded)
      for (const auto& [method, seconds] : s.timings.parameters.durations(stage)) {
        Json name = method;
        compressor_catalog().find(
            JsonReader(name, at.file(), pointer_join(pointer_join(at.pointer(), stage), method)));
      }
  return s.timings.parameters.resolved();
}

// In the order in which a scenario is read and echoed: a key may look at those before it.
constexpr Key kKeys[] = {
    {"name", "text", kRequired, "what the report calls this study; letters, digits, '-', '_' and '.'",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.name = at.text();
       if (s.name.empty() ||
           s.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
               std::string::npos)
         at.refuse("must be made of letters, digits, '-', '_' and '.', got " + at.shown());
       return s.name;
     },
     [] {
       Json schema;
       schema["type"] = "string";
       schema["pattern"] = "^[A-Za-z0-9._-]+$";
       return schema;
     }},
    {"learners", "whole number", kRequired, "data-parallel learners N",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.learners = static_cast<std::uint32_t>(whole(at, 1, kMostLearners));
       return s.learners;
     },
     [] { return whole_schema(1, kMostLearners); }},
    {"steps", "whole number", "4", "training steps that are captured and run through the compressor",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.steps = static_cast<std::uint64_t>(whole(at, 1, 1000000));
       return s.steps;
     },
     [] { return whole_schema(1, 1000000); }},
    {"seed", "whole number", "1", "of parameters, data, shards and every random draw",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.seed = static_cast<std::uint64_t>(whole(at, 0, INT64_MAX));
       return s.seed;
     },
     [] { return whole_schema(0, INT64_MAX); }},
    {"gradients", "source of gradients", "\"live\"",
     "where the gradients come from: live, or a recorded trace", read_gradients,
     [] { return schema_of_catalog(gradient_catalog()); }},
    {"workload", "workload", "\"mlp\"", "what is trained; live gradients only, for a trace has its own",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.workload = Choice<MakeModel>{&workload_catalog().find(at), read_workload(at)};
       return s.workload->parameters.resolved();
     },
     [] { return schema_of_catalog(workload_catalog()); }},
    {"accelerator", "accelerator", "null",
     "what computes: its description gives all times, of layers and of methods; null: times are measured or "
     "given",
     [](const JsonReader& at, Scenario& s) -> Json {
       if (at.value().is_null()) return {};
       Choice<MakeAccelerator> chosen = choose(at, accelerator_catalog());
       s.accelerator = chosen.entry->make(chosen.parameters);
       return chosen.parameters.resolved();
     },
     [] {
       Json schema = schema_of_catalog(accelerator_catalog()), none;
       none["type"] = "null";
       schema["anyOf"].push_back(none);
       return schema;
     }},
    {"timings", "source of timings", "\"measured\"",
     "where compute and codec times come from, always both from one source; 'accelerator' where one is named",
     read_timings, [] { return schema_of_catalog(timing_catalog()); }},
    {"compressor", "compressor", "\"none\"", "the method that compresses the gradient", read_compressor,
     [] { return schema_of_catalog(compressor_catalog()); }},
    {"error_feedback", "object", "{}", "the error memory around the method", read_error_feedback,
     [] {
       Json schema;
       schema["type"] = "object";
       for (const Parameter& parameter : error_feedback_parameters())
         schema["properties"][parameter.key] = schema_of(parameter);
       schema["additionalProperties"] = false;
       return schema;
     }},
    {"buckets", "size, \"tensor\" or \"model\"", "\"25MiB\"",
     "tensors that share collectives: filled in backward order up to a size (the first up to 1 MiB, as DDP "
     "does), one "
     "tensor each, or all",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.buckets = read_bucketing(at);
       bool whole = s.compressor.entry->make(s.compressor.parameters, s.seed)->coupling() == Coupling::model;
       if (whole && s.buckets.kind != Bucketing::Kind::model)
         at.refuse("'" + std::string(s.compressor.entry->name) +
                   "' sees the whole model at once here, which needs \"model\"");
       return s.buckets.text;
     },
     [] {
       Json schema;
       schema["type"] = "string";
       return schema;
     }},
    {"overlap", "true or false", "true",
     "encode and send a bucket as soon as its gradients are ready, during backward",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.overlap = at.flag();
       return s.overlap;
     },
     [] {
       Json schema;
       schema["type"] = "boolean";
       return schema;
     }},
    {"collective", "object", "{}",
     "algorithm by word (all_reduce, all_gather, broadcast); auto takes the smallest estimate",
     read_collective, collective_schema},
    {"stack", "stack", "\"ideal\"", "communication stack", read_stack,
     [] { return schema_of_catalog(stack_catalog()); }},
    {"platform", "topology", kRequired, "the network between the learners", read_platform,
     [] { return schema_of_catalog(topology_catalog()); }},
    {"engine", "engine", "\"auto\"", "what replays the transfers",
     [](const JsonReader& at, Scenario& s) -> Json {
       const Entry<Engine>* entry = choose(at, engine_catalog()).entry;
       s.engine = entry->make;
       return entry->name;
     },
     [] { return schema_of_catalog(engine_catalog()); }},
};

// Keys of kinds that have no entry yet: their catalogs answer with the reason.
struct LaterKey {
  std::string_view name;
  void (*refuse)(const JsonReader&);
};
constexpr LaterKey kLaterKeys[] = {{"training", [](const JsonReader& at) { training_catalog().find(at); }}};

}  // namespace

Scenario read_scenario(const Json& document, const std::string& file) {
  JsonReader root(document, file);
  std::vector<std::string> known;
  for (const Key& key : kKeys) known.emplace_back(key.name);
  known.emplace_back("sweep");
  root.only_object();
  for (const LaterKey& later : kLaterKeys)
    if (auto given = root.find(later.name)) later.refuse(*given);
  root.only(known);
  Scenario scenario;
  scenario.file = file;
  for (const Key& key : kKeys) {
    auto given = root.find(key.name);
    bool live =
        scenario.gradients.entry == nullptr || scenario.gradients.entry->make == GradientSourceKind::live;
    if (key.name == "workload" && !live) {
      if (given)
        given->refuse(
            "goes with live gradients only; a trace has its workload in it, and the others train nothing");
      continue;
    }
    if (!given && key.fallback.data() == nullptr)
      root.refuse("key '" + std::string(key.name) + "' is missing (" + std::string(key.form) + ": " +
                  std::string(key.help) + ")");
    std::string_view default_text =
        key.name == "timings" && scenario.accelerator ? "\"accelerator\"" : key.fallback;
    Json fallback = given ? Json() : Json::parse(default_text, "default of " + std::string(key.name));
    JsonReader at = given ? *given : JsonReader(fallback, file, pointer_join("", key.name));
    scenario.resolved[key.name] = key.read(at, scenario);
  }
  return scenario;
}

std::vector<std::string> sweepable_keys() {
  std::vector<std::string> known;
  for (const Key& key : kKeys)
    if (key.name != "name") known.emplace_back(key.name);
  return known;
}

std::vector<KeyInfo> scenario_keys() {
  std::vector<KeyInfo> all;
  for (const Key& key : kKeys)
    all.push_back({std::string(key.name), std::string(key.form),
                   key.fallback.data() ? std::string(key.fallback) : "required", std::string(key.help)});
  all.push_back(
      {"sweep", "object", "none",
       "{pointer: [values]}: every combination is a point, in this order, the first axis outermost"});
  return all;
}

Scenario with(const Scenario& scenario, const std::string& pointer, Json value) {
  Json document = scenario.resolved;
  set_at_pointer(document, pointer, std::move(value), scenario.file);
  return read_scenario(document, scenario.file);
}

Json scenario_schema() {
  Json schema, needed = Json::Array{};
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "traincast scenario";
  schema["type"] = "object";
  for (const Key& key : kKeys) {
    Json one = key.schema();
    one["description"] = key.help;
    if (key.fallback.data())
      one["default"] = Json::parse(key.fallback, "default");
    else
      needed.push_back(key.name);
    schema["properties"][key.name] = one;
  }
  Json values;
  values["type"] = "array";
  values["minItems"] = 1;
  schema["properties"]["sweep"]["type"] = "object";
  schema["properties"]["sweep"]["description"] = "{JSON pointer: [values]}: every combination is a point";
  schema["properties"]["sweep"]["additionalProperties"] = values;
  schema["required"] = needed;  // a sweep may supply a required key as well
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace traincast
