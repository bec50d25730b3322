#include "workloads/trace/trace_summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "base/interrupt.hpp"
#include "base/parallel.hpp"

namespace traincast {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 15;

/// In parallel, each worker with its own buffer of a piece.
void each_index(std::size_t count, unsigned threads,
                const std::function<void(std::size_t, std::vector<float>&)>& f) {
  std::vector<std::vector<float>> buffers(threads);
  in_parallel(count, threads, [&](std::size_t i, unsigned worker) {
    throw_if_interrupted();
    buffers[worker].resize(kPiece);
    f(i, buffers[worker]);
  });
}

struct Moments {
  double squares = 0, magnitudes = 0, nonzeros = 0;
  void add(const Moments& other) {
    squares += other.squares;
    magnitudes += other.magnitudes;
    nonzeros += other.nonzeros;
  }
};

Moments moments_of(std::span<const float> values) {
  // Several sums at once: one alone would wait for itself.
  std::array<Moments, 8> lanes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Moments& lane = lanes[i % lanes.size()];
    const double value = values[i];
    lane.squares += value * value;
    lane.magnitudes += std::abs(value);
    lane.nonzeros += value != 0;
  }
  for (std::size_t i = 1; i < lanes.size(); ++i) lanes[0].add(lanes[i]);
  return lanes[0];
}

double squares_of(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value * value;
  return sum;
}

/// Squared norms of sums over the learners: of their gradients, and of these at length 1.
struct Sums {
  double gradients = 0, directions = 0, model_directions = 0;
};

/// Means of what the steps have.
class Means {
 public:
  void add(std::span<const Moments> learners, double numel, double gradients, double directions) {
    double norms = 0, nonzeros = 0, effective = 0, lasting = 0;
    for (const Moments& learner : learners) {
      norms += std::sqrt(learner.squares);
      nonzeros += learner.nonzeros;
      if (learner.squares == 0) continue;
      effective += learner.magnitudes * learner.magnitudes / (numel * learner.squares);
      ++lasting;
    }
    const auto n = static_cast<double>(learners.size());
    norm_ += norms / n;
    density_ += nonzeros / (n * numel);
    norm_of_mean_ += std::sqrt(gradients) / n;
    ++steps_;
    if (lasting > 0) effective_ += effective / lasting, ++with_effective_;
    // |Σu|² counts each u with itself once.
    if (lasting > 1) similarity_ += (directions - lasting) / (lasting * (lasting - 1)), ++with_similarity_;
  }
  GradientSummary summary() const {
    GradientSummary s{.norm = norm_ / steps_,
                      .norm_of_mean = norm_of_mean_ / steps_,
                      .density = density_ / steps_,
                      .effective_density = {},
                      .similarity = {}};
    if (with_effective_ > 0) s.effective_density = effective_ / with_effective_;
    if (with_similarity_ > 0) s.similarity = similarity_ / with_similarity_;
    return s;
  }

 private:
  double norm_ = 0, norm_of_mean_ = 0, density_ = 0, effective_ = 0, similarity_ = 0;
  double steps_ = 0, with_effective_ = 0, with_similarity_ = 0;
};

struct Piece {
  std::uint32_t layer = 0;
  std::uint64_t first = 0;
  std::size_t size = 0;
};

class Summary {
 public:
  Summary(const TraceReader& trace, unsigned threads)
      : trace_(trace), m_(trace.manifest()), threads_(threads), layers_(m_.layers.size()) {
    for (const TensorInfo& layer : m_.layers)
      for (std::uint64_t first = 0; first < layer.numel(); first += kPiece)
        pieces_.push_back({layer.id, first, std::min<std::size_t>(kPiece, layer.numel() - first)});
  }

  TraceSummary run() {
    for (std::size_t step = 0; step < m_.steps.size(); ++step) add_step(step);
    TraceSummary all{.layers = {}, .model = model_.summary()};
    for (const Means& layer : layers_) all.layers.push_back(layer.summary());
    return all;
  }

 private:
  void add_step(std::size_t step) {
    const std::size_t learners = m_.learners;
    std::vector<Moments> moments(m_.layers.size() * learners), whole(learners);  // [layer][learner]
    each_index(moments.size(), threads_, [&](std::size_t i, std::vector<float>& buffer) {
      const TensorInfo& layer = m_.layers[i / learners];
      for (std::uint64_t first = 0; first < layer.numel(); first += kPiece) {
        std::span<float> part(buffer.data(), std::min<std::size_t>(kPiece, layer.numel() - first));
        trace_.read(step, static_cast<LearnerId>(i % learners), layer.id, first, part);
        moments[i].add(moments_of(part));
      }
    });
    for (std::size_t i = 0; i < moments.size(); ++i) whole[i % learners].add(moments[i]);

    std::vector<Sums> of_pieces(pieces_.size());
    each_index(pieces_.size(), threads_, [&](std::size_t i, std::vector<float>& buffer) {
      const Piece& piece = pieces_[i];
      std::vector<double> sum(piece.size), directions(piece.size), model_directions(piece.size);
      std::span<float> part(buffer.data(), piece.size);
      for (LearnerId learner = 0; learner < learners; ++learner) {
        const double squares = moments[piece.layer * learners + learner].squares;
        if (squares == 0) continue;
        trace_.read(step, learner, piece.layer, piece.first, part);
        const double in_layer = 1 / std::sqrt(squares), in_model = 1 / std::sqrt(whole[learner].squares);
        for (std::size_t j = 0; j < part.size(); ++j) {
          sum[j] += part[j];
          directions[j] += part[j] * in_layer;
          model_directions[j] += part[j] * in_model;
        }
      }
      of_pieces[i] = {squares_of(sum), squares_of(directions), squares_of(model_directions)};
    });

    std::vector<Sums> of_layers(m_.layers.size());
    Sums all;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      of_layers[pieces_[i].layer].gradients += of_pieces[i].gradients;
      of_layers[pieces_[i].layer].directions += of_pieces[i].directions;
      all.gradients += of_pieces[i].gradients;
      all.model_directions += of_pieces[i].model_directions;
    }
    for (std::size_t layer = 0; layer < layers_.size(); ++layer)
      layers_[layer].add(std::span(moments).subspan(layer * learners, learners),
                         static_cast<double>(m_.layers[layer].numel()), of_layers[layer].gradients,
                         of_layers[layer].directions);
    model_.add(whole, static_cast<double>(m_.parameters()), all.gradients, all.model_directions);
  }

  const TraceReader& trace_;
  const Manifest& m_;
  unsigned threads_;
  std::vector<Piece> pieces_;
  std::vector<Means> layers_;
  Means model_;
};

}  // namespace

TraceSummary summarise(const TraceReader& trace, unsigned threads) {
  return Summary(trace, std::max(1u, threads)).run();
}

}  // namespace traincast
