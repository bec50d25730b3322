#include "analysis/figures/figure_catalog.hpp"

#include "analysis/figures/figure_kinds.hpp"

namespace traincast {

const Catalog<DrawFigures>& figure_catalog() {
  static const Entry<DrawFigures> entries[] = {
      kScalingSpeedupFigure, kScalingEfficiencyFigure, kSpeedupFigure,         kBreakdownFigure,
      kTrafficFigure,        kTierTrafficFigure,       kBuildUpFigure,         kBuildUpByHopFigure,
      kLayersFigure,         kBreakEvenMapFigure,      kBreakEvenRangesFigure, kTimelineFigure,
      kAccuracyTimeFigure,   kAccuracyBytesFigure,     kMemoryDistanceFigure,  kSelectionDistanceFigure,
  };
  static const Catalog<DrawFigures> catalog("figures", "figure", entries);
  return catalog;
}

}  // namespace traincast
