#include "simulator/break_even.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/point_report.hpp"
#include "simulator/training_report.hpp"

namespace traincast {

namespace {

constexpr int kLast = 107;  // eighths of an octave from 100 Mb/s to 1.06 Tb/s
double bandwidth_at(int i) { return 12.5e6 * std::pow(2.0, i / 8.0); }

struct Search {
  BreakEven result;
  Scenario scenario;
};

// One method at one bandwidth, and what it is compared with.
struct Trial {
  Study::Request own;
  std::vector<Study::Request> dense;

  Trial(Study& study, const Search& search, int at) {
    Scenario scenario = with(search.scenario, "/platform/bandwidth", Json(bandwidth_at(at)).dump(-1) + "Bps");
    own = study.request(scenario, 1);
    dense = study.request_all(dense_runs(scenario), 1);
  }
  bool wins(const Study& study) const {
    return study.mean_step(own) < best_of(study, dense).second * (1 - 1e-9);
  }
};

std::vector<Search> searches_for(std::span<const Point* const> points) {
  std::vector<Search> searches;
  for (const Point* point : points) {
    if (point->scenario.learners < 2 || point->scenario.compressor.entry->name == "none") continue;
    Json coordinates{Json::Object{}};
    for (const auto& [pointer, value] : point->coordinates.members())
      if (pointer != "/learners" && pointer != "/platform/bandwidth") coordinates[pointer] = value;
    auto same = std::find_if(searches.begin(), searches.end(),
                             [&](const Search& search) { return search.result.coordinates == coordinates; });
    if (same == searches.end()) {
      same = searches.insert(same, Search{});
      same->result.coordinates = coordinates;
    }
    if (same->result.learners >= point->scenario.learners) continue;
    same->scenario = by_seed(point->scenario).front();
    same->result.label = label_of(*point);
    same->result.place = place_of(*point, false);
    same->result.learners = point->scenario.learners;
  }
  return searches;
}

// Two neighbouring bandwidths of which the method wins at one.
struct Crossing {
  Search* search;
  int low, high;
  bool wins_at_low;
};

std::vector<Crossing> find_crossings(Study& study, std::vector<Search>& searches) {
  std::vector<int> octaves;
  for (int at = 0; at < kLast; at += 8) octaves.push_back(at);
  octaves.push_back(kLast);
  std::vector<std::vector<Trial>> trials(searches.size());
  for (std::size_t i = 0; i < searches.size(); ++i)
    for (int at : octaves) trials[i].emplace_back(study, searches[i], at);
  study.replay("break-even");
  std::vector<Crossing> crossings;
  for (std::size_t i = 0; i < searches.size(); ++i) {
    BreakEven& result = searches[i].result;
    result.low = bandwidth_at(0);
    result.high = bandwidth_at(kLast);
    if (trials[i].front().wins(study)) result.wins.emplace_back(result.low, result.high);
    for (std::size_t at = 0; at + 1 < octaves.size(); ++at)
      if (bool wins = trials[i][at].wins(study); wins != trials[i][at + 1].wins(study))
        crossings.push_back({&searches[i], octaves[at], octaves[at + 1], wins});
  }
  return crossings;
}

}  // namespace

std::vector<BreakEven> search_break_evens(Study& study, std::span<const Point* const> points) {
  std::vector<Search> searches = searches_for(points);
  std::vector<Crossing> crossings = find_crossings(study, searches);
  for (int width = 8; width > 1;
       width = (width + 1) / 2) {  // all halve together, so that their replays share the cores
    std::vector<Trial> trials;
    for (const Crossing& c : crossings) trials.emplace_back(study, *c.search, (c.low + c.high) / 2);
    study.replay("break-even");
    for (std::size_t i = 0; i < crossings.size(); ++i) {
      Crossing& c = crossings[i];
      if (c.high - c.low > 1)
        (trials[i].wins(study) == c.wins_at_low ? c.low : c.high) = (c.low + c.high) / 2;
    }
  }
  for (const Crossing& c : crossings) {  // rising, so that ranges open and close in turn
    BreakEven& result = c.search->result;
    double at = std::sqrt(bandwidth_at(c.low) * bandwidth_at(c.high));
    if (c.wins_at_low)
      result.wins.back().second = at;
    else
      result.wins.emplace_back(at, result.high);
  }
  std::vector<BreakEven> results;
  for (Search& search : searches) results.push_back(std::move(search.result));
  return results;
}

}  // namespace traincast
