#include "simulator/scenario/scenario.hpp"

#include "base/error.hpp"
#include "simulator/scenario/scenario_keys.hpp"
#include "simulator/scenario/scenario_reader.hpp"

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

Json or_null(Json schema) {
  Json none;
  none["type"] = "null";
  schema["anyOf"].push_back(none);
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
    {"workload", "workload", "\"mlp\"", "what is trained, now or for the trace that is read",
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
     [] { return or_null(schema_of_catalog(accelerator_catalog())); }},
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
     read_buckets,
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
    {"speeds", "distribution of speeds", "\"equal\"",
     "how fast each learner computes, codecs included, beside what its times say",
     [](const JsonReader& at, Scenario& s) -> Json {
       s.speeds = choose(at, speed_catalog());
       s.speeds.entry->make(s.speeds.parameters, s.learners);  // refuses what the table cannot
       if (s.speeds.entry->parameters.empty()) return s.speeds.entry->name;
       return s.speeds.parameters.resolved();
     },
     [] { return schema_of_catalog(speed_catalog()); }},
    {"engine", "engine", "\"auto\"", "what replays the transfers",
     [](const JsonReader& at, Scenario& s) -> Json {
       const Entry<Engine>* entry = choose(at, engine_catalog()).entry;
       s.engine = entry->make;
       return entry->name;
     },
     [] { return schema_of_catalog(engine_catalog()); }},
    {"training", "training algorithm", "null",
     "training with the method in the loop: what the learners apply decides the next gradients; null: they "
     "follow the dense trajectory",
     read_training_in_loop, [] { return or_null(schema_of_catalog(training_catalog())); }},
};

}  // namespace

Scenario read_scenario(const Json& document, const std::string& file) {
  JsonReader root(document, file);
  std::vector<std::string> known;
  for (const Key& key : kKeys) known.emplace_back(key.name);
  known.emplace_back("sweep");
  root.only_object();
  root.only(known);
  Scenario scenario;
  scenario.file = file;
  for (const Key& key : kKeys) {
    auto given = root.find(key.name);
    bool live = scenario.gradients.entry == nullptr ||
                scenario.gradients.entry->make == GradientSourceKind::live ||
                scenario.gradients.entry->make == GradientSourceKind::streamed;
    if (key.name == "workload" && !live) {
      if (!given) continue;
      if (scenario.gradients.entry->make != GradientSourceKind::trace)
        given->refuse("goes with gradients that are trained, now or for a trace; these are not");
    }
    if (!given && key.fallback.data() == nullptr)
      root.refuse("key '" + std::string(key.name) + "' is missing (" + std::string(key.form) + ": " +
                  std::string(key.help) + ")");
    std::string_view default_text =
        key.name == "timings" && scenario.accelerator ? "\"accelerator\"" : key.fallback;
    Json fallback = given ? Json() : Json::parse(default_text, "default of " + std::string(key.name));
    JsonReader at = given ? *given : JsonReader(fallback, file, pointer_join("", key.name));
    Json resolved = key.read(at, scenario);
    scenario.resolved[key.name] = std::move(resolved);
  }
  if (auto steps = root.find("steps"); steps && steps->value() != Json(scenario.steps))
    steps->refuse("the epochs of 'training' make " + std::to_string(scenario.steps) +
                  " steps; leave one of the two out");
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
       "{pointer: [values]}, or {axis: {name: {pointer: value}}} for variants that differ in several places: "
       "every combination is a point, in this order, the first axis outermost"});
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
  Json variants;
  variants["type"] = "object";
  variants["minProperties"] = 1;
  variants["additionalProperties"]["type"] = "object";
  Json& sweep = schema["properties"]["sweep"];
  sweep["type"] = "object";
  sweep["description"] =
      "{JSON pointer: [values]} or {axis: {name: {JSON pointer: value}}}: every combination is a point";
  sweep["patternProperties"]["^/"] = values;
  sweep["additionalProperties"] = variants;
  schema["required"] = needed;  // a sweep may supply a required key as well
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace traincast
