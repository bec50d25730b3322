// A gate's verdict for continuous integration: JUnit's XML and GitHub's workflow commands.
#include <algorithm>
#include <array>

#include "analysis/gate.hpp"
#include "analysis/moves.hpp"

namespace traincast {

namespace {

std::string xml(const std::string& text) {
  std::string all;
  for (char c : text) switch (c) {
      case '&': all += "&amp;"; break;
      case '<': all += "&lt;"; break;
      case '>': all += "&gt;"; break;
      case '"': all += "&quot;"; break;
      default:
        // XML 1.0 knows no other control characters.
        all += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? ' ' : c;
    }
  return all;
}

// As GitHub's toolkit escapes the data of a workflow command; properties also their separators.
std::string command_text(const std::string& text, bool property) {
  std::string all;
  for (char c : text) switch (c) {
      case '%': all += "%25"; break;
      case '\r': all += "%0D"; break;
      case '\n': all += "%0A"; break;
      case ':': all += property ? "%3A" : ":"; break;
      case ',': all += property ? "%2C" : ","; break;
      default: all += c;
    }
  return all;
}

std::string sentence(const Move& move) {
  auto texts = told_apart({move.before, move.now});
  const std::string &before = texts[0], &now = texts[1];
  if (move.gone) return move.key + " is not reported any more; it was " + before;
  if (move.new_number) return move.key + " is " + now + " and not in the baseline";
  return move.key + " moved from " + before + " to " + now + " (" + difference(move.before, move.now) + ")";
}

std::vector<std::string> failures(const PointVerdict& point) {
  if (point.state == PointVerdict::State::missing) return {"is in the baseline and not reported any more"};
  if (point.state == PointVerdict::State::added)
    return {"is not in the baseline; traincast check BASELINE --update REASON takes it up"};
  std::vector<std::string> all;
  for (const Move& move : point.moves)
    if (move.verdict == Move::Verdict::fails) all.push_back(sentence(move));
  return all;
}

}  // namespace

std::string to_junit(const GateVerdict& verdict) {
  std::size_t tests = verdict.points.size() + 1, failed = verdict.failed_checks.empty() ? 0 : 1;
  for (const PointVerdict& point : verdict.points) failed += point.state != PointVerdict::State::held;
  std::string counts =
      "tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failed) + "\" errors=\"0\"";
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
                     ">\n  <testsuite name=\"traincast check\" " + counts + ">\n";
  auto add = [&](const std::string& group, const std::string& name, const std::vector<std::string>& why) {
    text += "    <testcase classname=\"" + xml(group) + "\" name=\"" + xml(name) + "\"";
    if (why.empty()) {
      text += "/>\n";
      return;
    }
    text += ">\n      <failure message=\"" + xml(why.front()) + "\">";
    for (const std::string& line : why) text += xml(line) + "\n";
    text += "</failure>\n    </testcase>\n";
  };
  add("report", "its own checks", verdict.failed_checks);
  for (const PointVerdict& point : verdict.points) add(point.compressor, point.name, failures(point));
  return text + "  </testsuite>\n</testsuites>\n";
}

std::string to_github_annotations(const GateVerdict& verdict) {
  std::string text;
  auto add = [&](const std::string& title, const std::string& message) {
    text += "::error file=" + command_text(verdict.baseline, true) + ",title=" + command_text(title, true) +
            "::" + command_text(message, false) + "\n";
  };
  for (const std::string& check : verdict.failed_checks) add("the report's own check failed", check);
  for (const PointVerdict& point : verdict.points)
    for (const std::string& why : failures(point)) add(point.name, why);
  return text;
}

}  // namespace traincast
