// list, schema and reference: the catalogs as text, JSON and Markdown.
#include <algorithm>
#include <iostream>

#include "analysis/figures/figure_catalog.hpp"
#include "base/error.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/scenario/options.hpp"
#include "simulator/scenario/scenario.hpp"

namespace traincast {

namespace {

const std::vector<std::string>& kinds() {
  // In the order of all_catalogs(); kinds without an entry are listed too.
  static const std::vector<std::string> all{
      "workloads", "data",         "shards",      "optimizers", "schedules",  "gradients",
      "timings",   "compressors",  "collectives", "stacks",     "topologies", "clusters",
      "speeds",    "accelerators", "training",    "engines",    "figures"};
  return all;
}

std::vector<EntryInfo> entries_of(const std::string& kind) {
  std::vector<EntryInfo> entries;
  auto catalogs = all_catalogs();
  catalogs.push_back(figure_catalog().describe());
  for (std::size_t i = 0; i < catalogs.size(); ++i)
    if (kind.empty() || kinds()[i] == kind)
      entries.insert(entries.end(), catalogs[i].begin(), catalogs[i].end());
  return entries;
}

}  // namespace

int list_command(const std::vector<std::string>& arguments) {
  std::string kind;
  bool json = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--help") {
      std::cout << "traincast list [KIND] [--format json|text]\nkinds: " << join(kinds()) << "\n";
      return kSuccess;
    }
    if (arguments[i] == "--format" && i + 1 < arguments.size()) {
      const std::string& format = arguments[++i];
      if (format != "json" && format != "text")
        throw InputError("list: --format must be json or text, got '" + format + "'");
      json = format == "json";
    } else if (arguments[i].starts_with("-")) {
      throw InputError("list: unknown option '" + arguments[i] + "'; known: --format json|text, --help");
    } else if (kind.empty()) {
      kind = arguments[i];
    } else {
      throw InputError("list: one kind at most, got '" + kind + "' and '" + arguments[i] + "'");
    }
  }
  if (!kind.empty() && std::find(kinds().begin(), kinds().end(), kind) == kinds().end())
    throw InputError("list: unknown kind '" + kind + "'" + known_names(kind, kinds()));
  std::vector<EntryInfo> entries = entries_of(kind);
  if (json) {
    Json all = Json::Array{};
    for (const EntryInfo& entry : entries) {
      Json one;
      one["kind"] = entry.kind;
      one["name"] = entry.name;
      one["summary"] = entry.summary;
      one["source"] = entry.source;
      all.push_back(one);
    }
    std::cout << all.dump() << "\n";
    return kSuccess;
  }
  std::string last;
  for (const EntryInfo& entry : entries) {
    if (entry.kind != last) std::cout << (last.empty() ? "" : "\n") << entry.kind << "\n";
    last = entry.kind;
    std::cout << "  " << entry.name << "\n      " << entry.summary;
    if (!entry.source.empty()) std::cout << " [" << entry.source << "]";
    std::cout << "\n";
    for (const Parameter& p : entry.parameters) {
      std::cout << "      " << p.key << ": " << p.help << " (" << to_string(p.unit);
      if (!p.range.empty()) std::cout << ", " << p.range;
      std::cout << (p.fallback.data() ? ", default " + std::string(p.fallback) : std::string(", required"))
                << ")\n";
    }
  }
  if (entries.empty()) std::cout << kind << ": none in this version\n";
  return kSuccess;
}

int schema_command(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] != "--help")
    throw InputError("schema: takes no arguments, got '" + arguments[0] + "'");
  if (!arguments.empty())
    std::cout << "traincast schema: prints the scenario language as JSON schema, for editors and checks\n";
  else
    std::cout << scenario_schema().dump() << "\n";
  return kSuccess;
}

int reference_command(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] != "--help")
    throw InputError("reference: takes no arguments, got '" + arguments[0] + "'");
  if (!arguments.empty()) {
    std::cout << "traincast reference: prints every key and entry of the scenario language as Markdown\n";
    return kSuccess;
  }
  std::cout
      << "# Scenario reference\n\nMade by `traincast reference` from the tables that the reader uses.\n\n"
         "| key | form | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const KeyInfo& key : scenario_keys())
    std::cout << "| `" << key.key << "` | " << key.form << " | "
              << (key.fallback == "required" || key.fallback == "none" ? key.fallback
                                                                       : "`" + key.fallback + "`")
              << " | " << key.help << " |\n";
  for (const std::string& kind : kinds()) {
    std::cout << "\n## " << kind << "\n";
    std::vector<EntryInfo> entries = entries_of(kind);
    if (entries.empty()) std::cout << "\nNone in this version.\n";
    for (const EntryInfo& entry : entries) {
      std::cout << "\n### `" << entry.name << "`\n\n" << entry.summary << ".";
      if (!entry.source.empty()) std::cout << " Source: " << entry.source << ".";
      std::cout << "\n";
      if (!entry.parameters.empty())
        std::cout << "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
      for (const Parameter& p : entry.parameters) {
        std::string range;
        for (char c : p.range) range += c == '|' ? std::string(" or ") : std::string(1, c);
        std::cout << "| `" << p.key << "` | " << to_string(p.unit) << (range.empty() ? "" : ", " + range)
                  << " | "
                  << (p.fallback.data() ? "`" + std::string(p.fallback) + "`" : std::string("required"))
                  << " | " << p.help << " |\n";
      }
    }
  }
  return kSuccess;
}

}  // namespace traincast
