// Every kind of figure, by name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "analysis/figures/figure_source.hpp"
#include "base/catalog.hpp"

namespace traincast {

/// Figures of one kind, one for each place (and tier); or why this report has none.
struct DrawnFigures {
  std::vector<Figure> figures;
  std::string missing;
};
using DrawFigures = DrawnFigures (*)(const FigureSource&);

const Catalog<DrawFigures>& figure_catalog();

}  // namespace traincast
