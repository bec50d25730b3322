// The rows of the catalog of figures, each at the end of its own file.
#pragma once

#include "analysis/figures/figure_catalog.hpp"

namespace traincast {

extern const Entry<DrawFigures> kScalingSpeedupFigure, kScalingEfficiencyFigure, kSpeedupFigure,
    kBreakdownFigure, kTrafficFigure, kTierTrafficFigure, kBuildUpFigure, kBuildUpByHopFigure, kLayersFigure,
    kBreakEvenMapFigure, kBreakEvenRangesFigure, kTimelineFigure, kAccuracyTimeFigure, kAccuracyBytesFigure,
    kMemoryDistanceFigure, kSelectionDistanceFigure;

}  // namespace traincast
