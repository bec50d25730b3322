#include "simulator/training/learner_world.hpp"

#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::uint64_t bytes_that_fit(const WorldOptions& options) {
  std::uint64_t bytes =
      (options.vectors * row_floats(parameters_of(options.layers)) + options.room) * sizeof(float);
  double needed = static_cast<double>(bytes), available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("parameters and gradients of " + std::to_string(options.learners) + " learners need " +
                     format_bytes(needed) + " of memory, and " + format_bytes(available) +
                     " are available; use fewer learners or a smaller model");
  return bytes;
}

}  // namespace

LearnerWorld::LearnerWorld(WorldOptions options)
    : options_(std::move(options)),
      parameters_(parameters_of(options_.layers)),
      memory_(SharedMemory::take(bytes_that_fit(options_))),
      program_(options_.command_line(), memory_) {}

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
  for (const Pass& pass : passes) asked.push_back(in_rows(pass));
  Writer question;
  question.put(LearnerQuestion::gradients);
  question.put_all(std::span<const LearnerPass>(asked));
  std::string answer = program_.ask(question.bytes());
  return Reader(answer).get_all<double>();
}

std::span<float> LearnerWorld::room() {
  auto* first = reinterpret_cast<float*>(memory_.bytes().data());
  return {first + options_.vectors * row_floats(parameters_), options_.room};
}

std::uint64_t LearnerWorld::place_of(std::span<const float> factors) const {
  auto* first = reinterpret_cast<const float*>(memory_.bytes().data());
  auto at = static_cast<std::uint64_t>(factors.data() - first);
  if (at < options_.vectors * row_floats(parameters_) ||
      at + factors.size() > options_.vectors * row_floats(parameters_) + options_.room)
    throw std::logic_error("factors lie in the world's room only");
  return at;
}

LearnerPass LearnerWorld::in_rows(const Pass& pass) const {
  return {pass.learner, row_of(pass.at), row_of(pass.into), pass.batches, pass.batch};
}

std::vector<double> LearnerWorld::factors(FactorForm form, std::span<const FactorPass> passes) {
  std::vector<LearnerFactorPass> asked;
  for (const FactorPass& one : passes) asked.push_back({in_rows(one.pass), place_of(one.factors)});
  Writer question;
  question.put(LearnerQuestion::factors);
  question.put(form);
  question.put_all(std::span<const LearnerFactorPass>(asked));
  std::string answer = program_.ask(question.bytes());
  return Reader(answer).get_all<double>();
}

void LearnerWorld::multiply(FactorForm form, std::uint64_t samples, std::span<const float> at,
                            std::span<const std::span<const float>> sent, std::span<float> into) {
  std::vector<std::uint64_t> places;
  for (std::span<const float> one : sent) places.push_back(place_of(one));
  Writer question;
  question.put(LearnerQuestion::multiply);
  question.put(form);
  question.put(samples);
  question.put(row_of(at));
  question.put(row_of(into));
  question.put_all(std::span<const std::uint64_t>(places));
  program_.ask(question.bytes());
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
