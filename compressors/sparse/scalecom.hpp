// ScaleCom's guidance on rates, apart from its catalog entry for what is known of it in figures.
#pragma once

namespace traincast {

/// Entries of a tensor for one that is sent, by how often a sample uses each of its weights (Chen et al.
/// 2020, section 4: by floating-point operations per element of the gradient) and the mini-batch of a
/// learner.
double scalecom_rate(double positions, double batch);

}  // namespace traincast
