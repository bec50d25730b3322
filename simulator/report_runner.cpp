#include "simulator/report_runner.hpp"

#include "base/error.hpp"
#include "simulator/pass/shape_exchange.hpp"

namespace traincast {

Runner report_runner(RunOptions options) {
  options.quiet = true;
  options.break_evens = false;
  options.shapes = std::make_shared<ShapePhases>();
  return [options](const Json& scenario, const std::string& file) {
    return to_json(run(make_plan(scenario, file, {}), options).report);
  };
}

std::string refusal_of_scenario(const Json& scenario, const std::string& file) {
  try {
    make_plan(scenario, file, {});
    return "";
  } catch (const PlacedError& error) {
    return error.why;
  }
}

}  // namespace traincast
