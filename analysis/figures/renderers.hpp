// What a figure becomes: text for gnuplot, for TeX, and its numbers. Bytes depend on the figure alone.
#pragma once

#include <string>
#include <string_view>

#include "analysis/figures/figure.hpp"

namespace traincast {

/// A script that writes NAME.svg, NAME.pdf and NAME.png into the folder where it runs.
std::string to_gnuplot(const Figure& figure);
/// A figure environment with a pgfplots axis, for \input.
std::string to_pgfplots(const Figure& figure);
/// One row a point or box, with the series that it belongs to; in the units of the axes.
std::string to_figure_csv(const Figure& figure);

/// Any text as one literal of the language: nothing in it is carried out or set in a special way, and line
/// ends and control characters become spaces.
std::string gnuplot_quoted(std::string_view text);
std::string tex_escaped(std::string_view text);

}  // namespace traincast
