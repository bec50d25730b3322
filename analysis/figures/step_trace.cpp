#include "analysis/figures/step_trace.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace traincast {

namespace {

constexpr double kMicroseconds = 1e6;

Json event(const char* phase, std::int64_t process, std::int64_t thread) {
  Json json;
  json["ph"] = phase;
  json["pid"] = process;
  json["tid"] = thread;
  return json;
}

Json named(const char* what, std::int64_t process, std::int64_t thread, const std::string& name) {
  Json json = event("M", process, thread);
  json["name"] = what;
  json["args"]["name"] = name;
  return json;
}

std::string name_of(const JsonReader& interval) {
  std::string what = interval.at("what").text();
  auto bucket = interval.find("bucket");
  if (!bucket) return what == "communication" ? "idle, collective in flight" : what;
  std::string place = " bucket " + std::to_string(bucket->integer());
  if (what != "collective") return what + place;
  std::int64_t more = interval.at("joined").integer() - 1;
  return interval.at("word").text() + place + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

void add_track(Json& events, std::int64_t process, const JsonReader& track) {
  std::int64_t learner = track.at("learner").integer();
  std::int64_t compute = 2 * learner + 1, network = compute + 1;
  std::string name = "learner " + std::to_string(learner);
  events.push_back(named("thread_name", process, compute, name + " compute"));
  events.push_back(named("thread_name", process, network, name + " network"));
  double sent = 0;
  auto count = [&](double seconds) {
    Json counter = event("C", process, network);
    counter["name"] = "bytes sent by " + name;
    counter["ts"] = kMicroseconds * seconds;
    counter["args"]["bytes"] = sent;
    events.push_back(std::move(counter));
  };
  count(0);
  for (const JsonReader& interval : track.at("intervals").items()) {
    bool collective = interval.at("what").text() == "collective";
    double start = interval.at("start").number(), end = interval.at("end").number();
    Json slice = event("X", process, collective ? network : compute);
    slice["name"] = name_of(interval);
    slice["cat"] = interval.at("what").text();
    slice["ts"] = kMicroseconds * start;
    slice["dur"] = kMicroseconds * (end - start);
    for (const char* key : {"bucket", "phase", "sent"})
      if (auto value = interval.find(key)) slice["args"][key] = value->value();
    events.push_back(std::move(slice));
    if (!collective) continue;
    sent += interval.at("sent").number();
    count(end);
  }
}

}  // namespace

Json to_trace(std::span<const Json> timelines) {
  Json trace;
  trace["displayTimeUnit"] = "ms";
  trace["traceEvents"] = Json::Array{};
  Json& events = trace["traceEvents"];
  std::int64_t process = 0;
  for (const Json& timeline : timelines) {
    if (timeline.is_null()) continue;
    for (const JsonReader& step : JsonReader(timeline, "timeline.json").at("steps").items()) {
      ++process;
      const JsonReader bandwidth = step.at("bandwidth_bytes_per_second");
      std::string place = step.at("place").text();
      if (!bandwidth.value().is_null()) place += ", " + format_bandwidth(bandwidth.number());
      events.push_back(named("process_name", process, 0,
                             step.at("label").text() + ", " + place + ", " +
                                 std::to_string(step.at("learners").integer()) + " learners, step " +
                                 std::to_string(step.at("step").integer())));
      for (const JsonReader& track : step.at("tracks").items()) add_track(events, process, track);
    }
  }
  return trace;
}

}  // namespace traincast
