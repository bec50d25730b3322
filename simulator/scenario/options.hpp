// The small choices of a scenario that are not rooms of their own: where gradients and times come from,
// engines.
#pragma once

#include "base/catalog.hpp"
#include "platforms/accelerators/accelerator.hpp"
#include "simulator/step/engine.hpp"

namespace traincast {

enum class GradientSourceKind { live, streamed, trace, synthetic, exchange, shapes, generated };
/// Whether there are gradients, and so a compressor to run over them and to time.
constexpr bool has_gradients(GradientSourceKind kind) {
  return kind == GradientSourceKind::live || kind == GradientSourceKind::streamed ||
         kind == GradientSourceKind::trace || kind == GradientSourceKind::synthetic;
}
/// Whether compute and codec can be timed on them.
constexpr bool can_be_timed(GradientSourceKind kind) {
  return kind == GradientSourceKind::live || kind == GradientSourceKind::trace;
}
enum class TimingSource { measured, given, recorded, accelerator };

const Catalog<GradientSourceKind>& gradient_catalog();
const Catalog<TimingSource>& timing_catalog();
const Catalog<Engine>& engine_catalog();

/// Everything that can be chosen, by kind, in the order of the flow of data.
std::vector<std::vector<EntryInfo>> all_catalogs();

}  // namespace traincast
