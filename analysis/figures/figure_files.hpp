// All figures of a report as files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/figures/figure_source.hpp"

namespace traincast {

struct PlotResult {
  std::vector<std::string> figures;                          ///< names of those that were made
  std::vector<std::pair<std::string, std::string>> missing;  ///< kinds that were not, and why
  std::string not_drawn;  ///< why only data and TeX were written; else empty
};

/// Writes every figure that the source allows into the folder (made where absent): NAME.csv, NAME.tex,
/// NAME.gp, and, by gnuplot, NAME.svg, NAME.pdf and NAME.png; captions.md tells what each shows. Figures that
/// an earlier call left there go. Throws InputError where no figure can be made, SimulationError where
/// gnuplot fails.
PlotResult plot(const FigureSource& source, const std::filesystem::path& folder);

}  // namespace traincast
