// The compression pass over gradients that are kept nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "simulator/pass/compression_pass.hpp"
#include "simulator/pass/gradient_stream.hpp"

namespace traincast {

/// Of the available memory, for the room below.
inline constexpr double kShareOfRoom = 0.9;

/// How far it is: a step of one of the rounds.
struct StreamedStep {
  std::size_t round = 0, rounds = 1;
  std::uint64_t step = 0, steps = 1;
  double bytes = 0;  ///< that the round takes at most, gradients and all
};

/// What run_compressions gives, to the byte, for gradients that are there once. Tensors that no method sees
/// together go through all steps one group after the other; a group's gradients of one step at all learners,
/// and the error memories of all methods, are in memory at a time. Each group costs a walk through the
/// stream, so that all tensors are one group where they fit into `room` bytes. Throws InputError, with
/// numbers and ways out, where the smallest group does not. `on_step` hears before each step.
std::vector<ExchangeRecord> run_streamed_compressions(
    std::span<const Scenario* const> scenarios, GradientStream& stream, unsigned threads, double room,
    const std::function<void(const StreamedStep&)>& on_step = {});

}  // namespace traincast
