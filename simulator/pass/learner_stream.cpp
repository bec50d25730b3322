#include "simulator/pass/learner_stream.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/machine.hpp"
#include "base/parallel.hpp"
#include "base/units.hpp"
#include "workloads/learner_protocol.hpp"

namespace traincast {

namespace {

// Threads that are through with one learner find another one.
constexpr std::uint32_t kLearnersOfThread = 4;

std::uint32_t at_once(const LearnerStreamOptions& options) {
  return std::min<std::uint32_t>(options.learners, kLearnersOfThread * std::max(1U, options.threads));
}

std::uint64_t bytes_that_fit(const LearnerStreamOptions& options) {
  const std::uint64_t parameters = parameters_of(options.layers);
  const std::uint64_t bytes = (at_once(options) + 1 + options.steps) * row_floats(parameters) * sizeof(float);
  const double needed = static_cast<double>(bytes + parameters * sizeof(double)),
               available = available_memory();
  if (needed > 0.9 * available)
    throw InputError("training takes " + format_bytes(needed) + " of memory for the parameters of " +
                     std::to_string(options.steps) + " steps and the gradients of " +
                     std::to_string(at_once(options)) + " learners, and " + format_bytes(available) +
                     " are available; use fewer steps or --threads, or a smaller model");
  return bytes;
}

}  // namespace

LearnerStream::LearnerStream(LearnerStreamOptions options)
    : options_(std::move(options)),
      parameters_(parameters_of(options_.layers)),
      at_once_(at_once(options_)),
      mean_row_(at_once_),
      memory_(SharedMemory::take(bytes_that_fit(options_))),
      program_(options_.command_line(), memory_),
      sum_(parameters_, 0.0) {
  manifest_ = describe(program_, options_);
  for (std::uint64_t s = 0; s < options_.steps; ++s) manifest_.steps.push_back(options_.after + s);

  Writer initial;
  initial.put(LearnerQuestion::initial);
  initial.put(mean_row_ + 1);
  program_.ask(initial.bytes());
  compute(0, mean_row_ + 1, 0, at_once_);  // most of what passes need is taken with the first ones
}

std::span<float> LearnerStream::row(std::uint32_t number) {
  auto* first = reinterpret_cast<float*>(memory_.bytes().data());
  return {first + number * row_floats(parameters_), parameters_};
}

void LearnerStream::compute(std::uint64_t step, std::uint32_t at, LearnerId first, std::uint32_t count) {
  throw_if_interrupted();
  std::vector<LearnerPass> passes;
  for (std::uint32_t i = 0; i < count; ++i) passes.push_back({first + i, at, i, 1, step});
  Writer question;
  question.put(LearnerQuestion::gradients);
  question.put_all(std::span<const LearnerPass>(passes));
  program_.ask(question.bytes());
}

ProcessMemory LearnerStream::memory() {
  Writer question;
  question.put(LearnerQuestion::memory);
  const std::string answer = program_.ask(question.bytes());
  return Reader(answer).get<ProcessMemory>();
}

// Every element's in the order of the learners, whichever thread adds it.
void LearnerStream::add_up(std::uint32_t count) {
  constexpr std::size_t kPiece = 1 << 14;
  in_parallel((sum_.size() + kPiece - 1) / kPiece, options_.threads, [&](std::size_t piece, unsigned) {
    const std::size_t begin = piece * kPiece, end = std::min(begin + kPiece, sum_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::span<const float> gradient = row(i);
      for (std::size_t e = begin; e < end; ++e) sum_[e] += static_cast<double>(gradient[e]);
    }
  });
}

void LearnerStream::hand_over(LearnerId first, std::uint32_t count, const Take& take) {
  in_parallel(count, options_.threads, [&](std::size_t i, unsigned) {
    take(first + static_cast<LearnerId>(i), row(static_cast<std::uint32_t>(i)));
  });
}

void LearnerStream::take_mean() {
  std::span<float> mean = row(mean_row_);
  std::size_t i = 0;
  for (const TensorInfo& layer : options_.layers)
    for (std::uint64_t end = i + layer.numel(), begin = i; i < end; ++i) {
      mean[i] = static_cast<float>(sum_[i] / options_.learners);
      if (!std::isfinite(mean[i]))
        throw SimulationError("the gradient of '" + layer.name + "' is not finite at index " +
                              std::to_string(i - begin) +
                              ": training diverged; lower learning_rate or momentum");
    }
}

void LearnerStream::train(std::uint64_t step, std::uint32_t at, std::uint32_t next, const Take& take) {
  std::ranges::fill(sum_, 0.0);
  for (LearnerId first = 0; first < options_.learners; first += at_once_) {
    const std::uint32_t count = std::min(at_once_, options_.learners - first);
    compute(step, at, first, count);
    add_up(count);
    if (take) hand_over(first, count, take);
  }
  take_mean();
  if (next == at && take) return;  // nothing comes after the last step
  Writer question;
  question.put(LearnerQuestion::apply);
  question.put(step);
  question.put(mean_row_);
  question.put(next);
  program_.ask(question.bytes());
}

void LearnerStream::walk(std::size_t step, const Take& take) {
  if (step > trained_ || step >= manifest_.steps.size())
    throw std::logic_error("steps are first walked in their order");
  const std::uint32_t first_row = mean_row_ + 1, at = first_row + static_cast<std::uint32_t>(step);
  if (!begun_)
    for (std::uint64_t before = 0; before < options_.after; ++before) train(before, first_row, first_row, {});
  begun_ = true;
  if (step == trained_) {
    const bool last = step + 1 == manifest_.steps.size();
    train(manifest_.steps[step], at, last ? at : at + 1, take);
    ++trained_;
    return;
  }
  for (LearnerId first = 0; first < options_.learners; first += at_once_) {
    const std::uint32_t count = std::min(at_once_, options_.learners - first);
    compute(manifest_.steps[step], at, first, count);
    hand_over(first, count, take);
  }
}

}  // namespace traincast
