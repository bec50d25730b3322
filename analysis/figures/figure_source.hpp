// What figures are made from: the points of one or several reports, and the timelines kept beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace traincast {

/// A point of a report.json.
class ReportedPoint {
 public:
  /// Throws InputError where what every point has is missing.
  ReportedPoint(JsonReader point, const std::string& scenario, std::size_t report);

  std::string scenario;  ///< its name
  std::size_t report;    ///< which of the source's it is from
  std::string place;     ///< without bandwidth: "star, overlap false"
  double bandwidth = 0;  ///< bytes per second
  std::string label, compressor, loop;
  std::uint32_t learners = 1;

  /// "star, 10 Gb/s"
  std::string where() const;
  /// Whether it is the point that this recorded step is of, by the names that both were written with.
  bool is_of(const JsonReader& recorded_step) const;
  /// Of a key, or of a path as in "compression_ratio/wire"; nothing where it is absent or null. Throws
  /// InputError where it is no number.
  std::optional<double> number(std::string_view path) const;
  std::optional<JsonReader> find(std::string_view path) const;

 private:
  JsonReader json_;
};

struct FigureSource {
  std::vector<ReportedPoint> points;
  std::vector<Json> timelines;       ///< of each report, null where it has none
  std::vector<std::string> methods;  ///< labels, in order of appearance
  std::string about;                 ///< scenario, seed, loop, version: under every figure

  /// Points of one place and bandwidth; places in order of appearance.
  struct Group {
    std::string where, slug;  ///< the second for file names; empty where there is one place only
    std::vector<const ReportedPoint*> points;
  };
  std::vector<Group> by_place() const;
  /// Whether the method of this label sends without compression.
  bool is_dense(std::string_view label) const;

  std::vector<Json> reports;  ///< that the points read from
  FigureSource() = default;
  FigureSource(FigureSource&&) = default;
  FigureSource(const FigureSource&) = delete;
};

/// Reads report.json files, each with the timeline.json beside it where there is one. Equal methods of
/// different reports are told apart by the scenarios' names where their points would fall on each other.
FigureSource read_figure_source(const std::vector<std::string>& reports);
FigureSource figure_source(std::vector<Json> reports, const std::vector<std::string>& files);

/// "star, 10 Gb/s" as a part of a file name: "star-10-gb-s".
std::string slug_of(std::string_view text);

}  // namespace traincast
