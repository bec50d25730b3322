// What learners contribute tensor by tensor, where a method treats tensors apart.
#pragma once

#include <span>

#include "base/exchange.hpp"
#include "simulator/pass/compression_pass.hpp"

namespace traincast {

/// Notes the encoded bytes of a unit under its tensor. A unit of several tensors has messages that belong to
/// none of them alone: their bytes stay unknown.
void note_tensor_bytes(StepRecord& step, const Bucket& unit, std::span<const Phase> phases,
                       std::uint32_t learners);

}  // namespace traincast
