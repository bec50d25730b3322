#include "base/catalog.hpp"

namespace traincast {

std::size_t find_entry(const JsonReader& at, std::string_view singular, std::span<const std::string> names,
                       std::span<const Planned> planned) {
  if (!at.value().is_string() && !at.value().is_object())
    at.refuse(
        "must be the name of " +
        std::string(std::string_view("aeiou").find(singular[0]) == std::string_view::npos ? "a " : "an ") +
        std::string(singular) + " or an object with it, got " + at.shown());
  JsonReader place = at.value().is_string() ? at : at.at("name");
  std::string name = place.text();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return i;
  for (const Planned& later : planned)
    if (later.name == name)
      place.refuse(std::string(singular) + " '" + name + "' is not in this version: " +
                   std::string(later.reason) + "; known: " + (names.empty() ? "none yet" : join(names)));
  place.refuse("unknown " + std::string(singular) + " '" + name + "'" + known_names(name, names));
}

}  // namespace traincast
