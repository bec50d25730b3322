// What a manifest says of a training before anything is trained.
#pragma once

#include "workloads/capture/capture.hpp"
#include "workloads/data/dataset.hpp"

namespace traincast {

/// Without steps, times and files.
Manifest manifest_of(const CaptureRequest& request, const Dataset& data, const Network& network);

}  // namespace traincast
