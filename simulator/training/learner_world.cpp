#include "simulator/training/learner_world.hpp"

#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::uint64_t bytes_that_fit(const WorldOptions& options) {
  std::uint64_t bytes = options.vectors * row_floats(parameters_of(options.layers)) * sizeof(float);
  double needed = static_cast<double>(bytes), available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("parameters and gradients of " + std::to_string(options.learners) + " learners need " +
                     format_bytes(needed) + " of memory, and " + format_bytes(available) +
                     " are available; use fewer learners or a smaller model");
  return bytes;
}

std::vector<std::string> command_line(const WorldOptions& options) {
  return {options.program,
          "--folder",
          options.folder.empty() ? "." : options.folder,
          "--serve",
          "--quiet",
          "--workload",
          options.workload,
          "--learners",
          std::to_string(options.learners),
          "--seed",
          std::to_string(options.seed),
          "--threads",
          std::to_string(options.threads)};
}

}  // namespace

LearnerWorld::LearnerWorld(WorldOptions options)
    : options_(std::move(options)),
      parameters_(parameters_of(options_.layers)),
      memory_(SharedMemory::create(bytes_that_fit(options_))),
      program_(command_line(options_), memory_) {}

std::span<float> LearnerWorld::vector(std::size_t i) {
  if (i >= options_.vectors) throw std::logic_error("a vector that the world was not made with");
  auto* first = reinterpret_cast<float*>(memory_.bytes().data());
  return {first + i * row_floats(parameters_), parameters_};
}

std::uint32_t LearnerWorld::row_of(std::span<const float> vector) const {
  auto* first = reinterpret_cast<const float*>(memory_.bytes().data());
  auto distance = static_cast<std::uint64_t>(vector.data() - first);
  std::uint64_t row = distance / row_floats(parameters_);
  if (distance % row_floats(parameters_) != 0 || row >= options_.vectors || vector.size() != parameters_)
    throw std::logic_error("learners take vectors of the world only");
  return static_cast<std::uint32_t>(row);
}

void LearnerWorld::initial(std::span<float> into) {
  Writer question;
  question.put(LearnerQuestion::initial);
  question.put(row_of(into));
  program_.ask(question.bytes());
}

std::vector<double> LearnerWorld::gradients(std::span<const Pass> passes) {
  std::vector<LearnerPass> asked;
  for (const Pass& pass : passes)
    asked.push_back({pass.learner, row_of(pass.at), row_of(pass.into), 0, pass.batch});
  Writer question;
  question.put(LearnerQuestion::gradients);
  question.put_all(std::span<const LearnerPass>(asked));
  std::string answer = program_.ask(question.bytes());
  return Reader(answer).get_all<double>();
}

Evaluation LearnerWorld::evaluate(std::span<const float> at, std::uint64_t samples) {
  Writer question;
  question.put(LearnerQuestion::evaluate);
  question.put(row_of(at));
  question.put(samples);
  std::string answer = program_.ask(question.bytes());
  return Reader(answer).get<Evaluation>();
}

}  // namespace traincast
