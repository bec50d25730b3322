// Quantities with units, as scenarios write them: "100Gbps", "12.5GBps", "5us", "25MiB". Parsed here only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace traincast {

/// What a number means. It decides how a value is written in a scenario and in which unit the program holds
/// it.
enum class Unit {
  ratio,      ///< a plain number
  ratios,     ///< one, or a list of them
  count,      ///< a whole number
  counts,     ///< a list of whole numbers
  flag,       ///< true or false
  word,       ///< one of a few words
  path,       ///< a file or folder, relative to the scenario file
  bytes,      ///< "25MiB", "1MB", "512B"; held in bytes
  bandwidth,  ///< "10Gbps" (bits) or "1.25GBps" (bytes); held in bytes per second
  choice,     ///< a name or an object, which the entry itself reads
  choices,    ///< a list of objects, likewise
  duration,   ///< "5us", "1.5ms"; held in seconds
  durations,  ///< {"topk": "2ms"}: a duration for each of some names; held in seconds
};

std::string_view to_string(Unit unit);

/// An example of how a value of this unit is written; used in messages.
std::string_view example(Unit unit);

/// Parses a quantity with its unit; nothing where the text is not one, or where the unit is missing or of
/// another kind. Decimal prefixes k, M, G, T are powers of 1000; Ki, Mi, Gi, Ti are powers of 1024. "bps"
/// counts bits, "Bps" bytes.
std::optional<double> parse_quantity(std::string_view text, Unit unit);

/// A short form for people, three significant digits: format_bytes(1.5e6) is "1.5 MB".
std::string format_bytes(double bytes);
std::string format_seconds(double seconds);
std::string format_bandwidth(
    double bytes_per_second);  ///< in bits per second, as networks are sold: "10 Gb/s"

}  // namespace traincast
