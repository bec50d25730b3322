// How curves and areas look. Colours after Okabe and Ito (2008), "Color universal design": told apart with
// any colour vision; every curve has a marker and a dash of its own as well, and neighbouring areas differ in
// lightness, so that a greyscale print can be read.
#pragma once

#include <cstddef>

#include "analysis/figures/figure.hpp"

namespace traincast {

struct CurveStyle {
  const char* colour;  ///< RRGGBB
  int gnuplot_marker;  ///< point type of the cairo and SVG terminals
  const char* gnuplot_dash;
  const char* tex_marker;
  const char* tex_dash;
};

inline constexpr CurveStyle kCurves[kMostCurves] = {
    {"000000", 4, "1", "square", "solid"},
    {"0072B2", 7, "1", "*", "solid"},
    {"D55E00", 9, "(10,3)", "triangle*", "dash pattern=on 5pt off 1.5pt"},
    {"009E73", 5, "(6,3)", "square*", "dash pattern=on 3pt off 1.5pt"},
    {"CC79A7", 13, "(10,3,2,3)", "diamond*", "dash pattern=on 5pt off 1.5pt on 1pt off 1.5pt"},
    {"E69F00", 11, "(2,2)", "triangle*,mark options={solid,rotate=180}", "dash pattern=on 1pt off 1pt"},
    {"56B4E9", 6, "(6,2,2,2,2,2)", "o", "dash pattern=on 3pt off 1pt on 1pt off 1pt on 1pt off 1pt"},
};

inline constexpr const char* kOtherColour = "B8B8B8";
inline constexpr const char* kGuideColour = "666666";

/// Areas, in an order in which neighbours differ in lightness.
inline constexpr const char* kFills[] = {"4D4D4D", "E69F00", "0072B2", "56B4E9", "FFFFFF", "CC79A7",
                                         "8C8C8C", "C8C8C8", "F0E442", "009E73", "D55E00"};
inline constexpr std::size_t kFillCount = sizeof kFills / sizeof *kFills;

/// Whether writing on the fill must be white.
constexpr bool is_dark(std::size_t fill) { return fill == 0 || fill == 2 || fill == 9 || fill == 10; }

}  // namespace traincast
