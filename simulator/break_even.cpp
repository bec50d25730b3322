#include "simulator/break_even.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/point_report.hpp"

namespace traincast {

namespace {

constexpr int kLast = 106;
double bandwidth_at(int i) { return 12.5e6 * std::pow(2.0, i / 8.0); }

struct Search {
  BreakEven result;
  Scenario scenario;
  int low = 0, high = kLast;
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
    same->scenario = point->scenario;
    same->result.label = label_of(*point);
    same->result.place = place_of(*point, false);
    same->result.learners = point->scenario.learners;
  }
  return searches;
}

}  // namespace

std::vector<BreakEven> search_break_evens(Study& study, std::span<const Point* const> points) {
  std::vector<Search> searches = searches_for(points);
  std::vector<std::pair<Trial, Trial>> ends;
  for (const Search& search : searches)
    ends.emplace_back(Trial(study, search, 0), Trial(study, search, kLast));
  study.replay("break-even");
  std::vector<Search*> open;
  for (std::size_t i = 0; i < searches.size(); ++i) {
    BreakEven& result = searches[i].result;
    result.low = bandwidth_at(0);
    result.high = bandwidth_at(kLast);
    result.wins_at_low = ends[i].first.wins(study);
    result.wins_at_high = ends[i].second.wins(study);
    if (result.wins_at_low != result.wins_at_high) open.push_back(&searches[i]);
  }
  while (!open.empty()) {  // all searches halve together, so that their replays share the cores
    std::vector<Trial> trials;
    for (const Search* search : open) trials.emplace_back(study, *search, (search->low + search->high) / 2);
    study.replay("break-even");
    for (std::size_t i = 0; i < open.size(); ++i) {
      int middle = (open[i]->low + open[i]->high) / 2;
      (trials[i].wins(study) == open[i]->result.wins_at_low ? open[i]->low : open[i]->high) = middle;
    }
    std::erase_if(open, [](Search* search) {
      if (search->high - search->low > 1) return false;
      search->result.bandwidth = std::sqrt(bandwidth_at(search->low) * bandwidth_at(search->high));
      return true;
    });
  }
  std::vector<BreakEven> results;
  for (Search& search : searches) results.push_back(std::move(search.result));
  return results;
}

}  // namespace traincast
