#include "analysis/figures/figure_source.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/names.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

void add_once(std::vector<std::string>& list, const std::string& word) {
  if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
}

// "quickstart, seed 1, open loop, traincast 0.1.0"
std::string about(const std::vector<JsonReader>& reports, const std::vector<ReportedPoint>& points) {
  std::vector<std::string> names, seeds, versions, loops;
  // Points that were trained have seeds of their own.
  const bool trained = !points.empty() && std::ranges::all_of(points, [](const ReportedPoint& point) {
    return point.find("training/runs").has_value();
  });
  for (const JsonReader& report : reports) {
    JsonReader scenario = report.at("scenario");
    add_once(names, scenario.at("name").text());
    if (auto seed = scenario.find("seed"); seed && !trained) add_once(seeds, seed->value().dump(-1));
    if (auto version = report.at("traincast").find("version")) add_once(versions, version->text());
  }
  for (const ReportedPoint& point : points) {
    add_once(loops, point.loop);
    if (auto runs = point.find("training/runs"))
      for (const JsonReader& run : runs->items()) add_once(seeds, run.at("seed").value().dump(-1));
  }
  std::string text = join(names, " + ");
  if (!seeds.empty()) text += (seeds.size() > 1 ? ", seeds " : ", seed ") + join(seeds);
  if (!loops.empty()) text += ", " + join(loops, " and ") + " loop";
  return text + ", traincast " + (versions.empty() ? "of unknown version" : join(versions, " and "));
}

// Points of several reports that would fall on each other get their scenario's name into their label.
void tell_apart(std::vector<ReportedPoint>& points) {
  std::map<std::tuple<std::string, std::string, std::uint32_t>, std::size_t> seen;
  bool meet = false;
  std::set<std::string> names;
  for (std::size_t i = 0; i < points.size(); ++i) {
    names.insert(points[i].scenario);
    auto [at, fresh] =
        seen.try_emplace({points[i].where(), points[i].label, points[i].learners}, points[i].report);
    meet = meet || (!fresh && at->second != points[i].report);
  }
  if (!meet) return;
  bool named = names.size() == points.back().report + 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i].label +=
        " [" + points[i].scenario + (named ? "" : " " + std::to_string(points[i].report + 1)) + "]";
}

// Where one method is tried at several places, as in a study of topologies or collectives, the places are
// what a figure compares: they become the names, without the words that all of them begin with.
void compare_places(std::vector<ReportedPoint>& points) {
  std::set<std::string> places, methods;
  for (const ReportedPoint& point : points) {
    places.insert(point.place);
    methods.insert(point.label);
  }
  if (places.size() < 2 || methods.size() > 1) return;
  const std::string &first = *places.begin(), &last = *places.rbegin();
  auto common = static_cast<std::size_t>(
      std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first - first.begin());
  std::size_t comma = first.rfind(", ", common);
  std::size_t shared = comma == first.npos || comma + 2 > common ? 0 : comma + 2;
  for (ReportedPoint& point : points) {
    std::string name = point.place.substr(shared);
    point.place = first.substr(0, shared) + point.label;
    point.label = name.empty() ? "as it is" : name;
  }
}

}  // namespace

ReportedPoint::ReportedPoint(JsonReader point, const std::string& scenario_name, std::size_t of_report)
    : scenario(scenario_name), report(of_report), json_(std::move(point)) {
  if (auto given = json_.find("place")) place = given->text();
  bandwidth = number("bandwidth_bytes_per_second").value_or(0);
  compressor = json_.at("compressor").text();
  auto given = json_.find("label");
  label = given ? given->text() : compressor;
  loop = json_.at("loop").text();
  std::int64_t count = json_.at("learners").integer();
  if (count < 1 || count > UINT32_MAX) json_.at("learners").refuse("must be at least 1");
  learners = static_cast<std::uint32_t>(count);
}

std::string ReportedPoint::where() const {
  if (bandwidth <= 0) return place;
  return place + (place.empty() ? "" : ", ") + format_bandwidth(bandwidth);
}

bool ReportedPoint::is_of(const JsonReader& step) const {
  for (const char* key : {"place", "label", "learners", "bandwidth_bytes_per_second"}) {
    auto own = json_.find(key), other = step.find(key);
    if (!own || !other || !(own->value() == other->value())) return false;
  }
  return true;
}

std::optional<JsonReader> ReportedPoint::find(std::string_view path) const {
  std::optional<JsonReader> at = json_;
  while (at && !path.empty()) {
    std::size_t end = std::min(path.find('/'), path.size());
    at = at->find(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    if (at && at->value().is_null()) return std::nullopt;
  }
  return at;
}

std::optional<double> ReportedPoint::number(std::string_view path) const {
  auto at = find(path);
  return at ? std::optional(at->number()) : std::nullopt;
}

std::string slug_of(std::string_view text) {
  constexpr std::size_t kMost = 48;
  std::string slug;
  for (char c : text) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.';
    if (letter)
      slug += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  slug.resize(std::min(slug.size(), kMost));
  slug.erase(slug.find_last_not_of("-.") + 1);
  return slug;
}

std::vector<FigureSource::Group> FigureSource::by_place() const {
  std::vector<Group> groups;
  for (const ReportedPoint& point : points) {
    std::string where = point.where();
    auto same =
        std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.where == where; });
    if (same == groups.end()) same = groups.insert(same, {where, slug_of(where), {}});
    same->points.push_back(&point);
  }
  if (groups.size() == 1) groups.front().slug.clear();
  std::set<std::string> taken;
  for (Group& group : groups)
    for (std::size_t number = 2; groups.size() > 1 && !taken.insert(group.slug).second; ++number)
      group.slug = slug_of(group.where) + "-" + std::to_string(number);
  return groups;
}

bool FigureSource::is_dense(std::string_view label) const {
  return std::any_of(points.begin(), points.end(), [&](const ReportedPoint& point) {
    return point.label == label && point.compressor == "none";
  });
}

FigureSource figure_source(std::vector<Json> reports, const std::vector<std::string>& files) {
  FigureSource source;
  source.reports = std::move(reports);
  std::vector<JsonReader> readers;
  for (std::size_t r = 0; r < source.reports.size(); ++r) {
    JsonReader report = readers.emplace_back(source.reports[r], files[r]);
    report.only_object();
    std::string name = report.at("scenario").at("name").text();
    for (const JsonReader& point : report.at("points").items()) {
      source.points.emplace_back(point, name, r);
    }
  }
  if (source.points.empty()) throw InputError(join(files) + ": no points, so there is nothing to draw");
  tell_apart(source.points);
  compare_places(source.points);
  for (const ReportedPoint& point : source.points) add_once(source.methods, point.label);
  source.about = about(readers, source.points);
  return source;
}

FigureSource read_figure_source(const std::vector<std::string>& files) {
  std::vector<Json> reports, timelines;
  for (const std::string& file : files) {
    reports.push_back(Json::read_file(file));
    auto beside = std::filesystem::path(file).parent_path() / "timeline.json";
    timelines.push_back(std::filesystem::exists(beside) ? Json::read_file(beside.string()) : Json());
  }
  FigureSource source = figure_source(std::move(reports), files);
  source.timelines = std::move(timelines);
  return source;
}

}  // namespace traincast
