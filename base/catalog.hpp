// The one look-up by name. Every kind of thing that a scenario can choose (compressors, topologies,
// collectives, …) is a table of entries; reader, schema, list, help and reference page are made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/names.hpp"
#include "base/parameters.hpp"

namespace traincast {

/// `make` is what the kind needs to build the thing: a function pointer, or a small struct of them.
template <class Make>
struct Entry {
  std::string_view name;
  std::string_view summary;
  std::string_view source;  ///< paper and section, or where the numbers come from
  std::span<const Parameter> parameters;
  Make make;
};

/// A name that readers of the field will try and that this version does not have: refused with the reason.
struct Planned {
  std::string_view name;
  std::string_view reason;
};

/// An entry without its factory: what lists and schemas need.
struct EntryInfo {
  std::string kind, name, summary, source;
  std::span<const Parameter> parameters;
};

/// The entry named by a value that is {"name": …} or the bare name; shared by all catalogs.
std::size_t find_entry(const JsonReader& at, std::string_view singular, std::span<const std::string> names,
                       std::span<const Planned> planned);

template <class Make>
class Catalog {
 public:
  constexpr Catalog(std::string_view kind, std::string_view singular, std::span<const Entry<Make>> entries,
                    std::span<const Planned> planned = {})
      : kind_(kind), singular_(singular), entries_(entries), planned_(planned) {}

  std::string_view kind() const { return kind_; }
  std::string_view singular() const { return singular_; }
  std::span<const Entry<Make>> entries() const { return entries_; }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : entries_) all.emplace_back(entry.name);
    return all;
  }

  /// Refuses unknown names with the known ones and the nearest, planned ones with the reason.
  const Entry<Make>& find(const JsonReader& at) const {
    return entries_[find_entry(at, singular_, names(), planned_)];
  }

  std::vector<EntryInfo> describe() const {
    std::vector<EntryInfo> all;
    for (const auto& e : entries_)
      all.push_back({std::string(kind_), std::string(e.name), std::string(e.summary), std::string(e.source),
                     e.parameters});
    return all;
  }

 private:
  std::string_view kind_, singular_;
  std::span<const Entry<Make>> entries_;
  std::span<const Planned> planned_;
};

}  // namespace traincast
