// Where a unit's tensors lie in a vector of the whole model.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

class UnitPlaces {
 public:
  /// `layers`: all of the model, in the vector's order.
  UnitPlaces(std::span<const TensorInfo> layers, const Bucket& unit) {
    std::vector<std::uint64_t> first{0};
    for (const TensorInfo& layer : layers) first.push_back(first.back() + layer.numel());
    for (const TensorInfo& tensor : unit.tensors) pieces_.push_back({first[tensor.id], tensor.numel()});
  }

  /// f(the unit's next elements, as they lie in the model), in the unit's order.
  template <class T, class F>
  void for_each(std::span<T> model, F&& f) const {
    for (const Piece& piece : pieces_) f(model.subspan(piece.first, piece.count));
  }
  void gather(std::span<const float> model, std::span<float> into) const {
    for_each(model, [&](std::span<const float> piece) {
      std::ranges::copy(piece, into.begin());
      into = into.subspan(piece.size());
    });
  }
  void scatter(std::span<const float> values, std::span<float> model) const {
    for_each(model, [&](std::span<float> piece) {
      std::ranges::copy(values.first(piece.size()), piece.begin());
      values = values.subspan(piece.size());
    });
  }

 private:
  struct Piece {
    std::uint64_t first, count;
  };
  std::vector<Piece> pieces_;
};

}  // namespace traincast
