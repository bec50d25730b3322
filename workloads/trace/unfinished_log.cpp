#include "workloads/trace/unfinished_log.hpp"

#include <filesystem>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/files.hpp"

namespace traincast {

namespace {

std::string line_of(const TraceFile& file) {
  Json json;
  json["path"] = file.path;
  json["step"] = file.step;
  json["learners"] = Json::list(std::vector<LearnerId>{file.first_learner, file.last_learner});
  json["sha256"] = file.sha256;
  return json.dump(-1) + "\n";
}

TraceFile file_of(const std::string& line) {
  const Json json = Json::parse(line, "line");
  JsonReader reader(json, "line");
  auto learners = reader.at("learners").items();
  if (learners.size() != 2) reader.at("learners").refuse("must be two");
  return {.path = reader.at("path").text(),
          .step = static_cast<std::uint64_t>(reader.at("step").integer()),
          .first_learner = static_cast<LearnerId>(learners[0].integer()),
          .last_learner = static_cast<LearnerId>(learners[1].integer()),
          .sha256 = reader.at("sha256").text()};
}

// A writer that was killed may have left it finished and not noted, or half written.
bool is_of_a_step(const std::string& name) {
  return name.starts_with("step-") &&
         (name.ends_with(".safetensors") || name.ends_with(".safetensors.partial"));
}

}  // namespace

UnfinishedLog::UnfinishedLog(std::string path, const std::string& training) : path_(std::move(path)) {
  std::string kept = training + "\n";
  goes_on_ = std::filesystem::exists(path_);
  if (goes_on_) {
    std::istringstream lines(read_text_file(path_));
    std::string line;
    std::getline(lines, line);
    if (line != training)
      throw InputError(path_ +
                       ": the folder holds unfinished steps of another training (or of another version or "
                       "device); name another folder or remove it");
    // A process that was killed may have left half a line.
    try {
      while (std::getline(lines, line)) {
        TraceFile file = file_of(line);
        kept += line_of(file);
        finished_[file.step].push_back(std::move(file));
      }
    } catch (const InputError&) {
    }
  }
  write_text_file(path_, kept);
  out_.open(path_, std::ios::app);
}

std::vector<TraceFile> UnfinishedLog::files(std::uint64_t step) const {
  auto found = finished_.find(step);
  return found == finished_.end() ? std::vector<TraceFile>{} : found->second;
}

void UnfinishedLog::note(const TraceFile& file) { out_ << line_of(file) << std::flush; }

void UnfinishedLog::remove(const std::vector<TraceFile>& kept) {
  out_.close();
  std::set<std::string> names;
  for (const TraceFile& file : kept) names.insert(file.path);
  std::error_code ignored;
  std::vector<std::filesystem::path> left;
  if (goes_on_)
    for (std::filesystem::directory_iterator entry(std::filesystem::path(path_).parent_path(), ignored), end;
         entry != end; entry.increment(ignored))
      if (const std::string name = entry->path().filename(); is_of_a_step(name) && !names.contains(name))
        left.push_back(entry->path());
  for (const auto& path : left) std::filesystem::remove(path, ignored);
  std::filesystem::remove(path_, ignored);
}

}  // namespace traincast
