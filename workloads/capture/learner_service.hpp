// Learners for a program that trains with a method in the loop: it says at which parameters, they say the
// gradient.
#pragma once

#include "workloads/capture/capture.hpp"

namespace traincast {

/// Answers the questions of learner_protocol.hpp until the asking program is gone; of the request, steps and
/// output are not used. What it answers does not depend on the number of threads. Throws InputError where no
/// program asks.
void serve_learners(const CaptureRequest& request);

}  // namespace traincast
