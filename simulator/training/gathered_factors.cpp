// dAD and edAD (Baker et al., arXiv 2102.09631; the authors' repositories edad and catalyst-dad): all
// learners gather each other's A and Δ of every layer, and multiply the concatenation: ΔᵀA over all samples
// is the gradient of the pooled mini-batch. It is divided by the number of learners here, as the mean
// gradient is; the authors' dAD applies the sum. What one layer sends is one message; their code gathers A
// and Δ apart.
//
// edAD gathers A of every layer and Δ of the last alone: the others follow from these, Δ_(i−1) = (Δ_i W_i) ⊙
// φ'(A_i), for all learners have the same weights. Where pooling stands between two layers, A_(i−1) goes
// through its layer again to tell where the maxima were.
//
// A convolution's A is its input, unfolded by who multiplies: that sends less than the unfolded matrix. The
// products have S times the rows of a learner's own, and every learner computes them; its own product, which
// the authors' hooks leave to autograd as well, is part of backward.
#include <algorithm>

#include "base/parallel.hpp"
#include "simulator/training/factor_exchange.hpp"

namespace traincast {

namespace {

class GatheredFactors : public FactorExchange {
 public:
  GatheredFactors(const Scenario& scenario, std::span<const TensorInfo> tensors,
                  std::span<const LayerFactors> layers, unsigned threads)
      : form_(*factors_of(scenario.training->kind)),
        learners_(scenario.learners),
        samples_(scenario.training->batch),
        threads_(threads),
        tensors_(tensors.begin(), tensors.end()),
        layers_(layers.begin(), layers.end()) {
    std::uint64_t at = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l)
      for (const FactorMatrix& matrix : layers_[l].matrices) {
        if (!matrix.sent) continue;
        const auto id = static_cast<std::uint32_t>(matrices_.size());
        matrices_.push_back({l, at, samples_ * matrix.rows, matrix.width, {scenario, id, matrix.name}});
        at += samples_ * matrix.numbers();
      }
  }

  FactorForm form() const override { return form_; }

  std::vector<LayerSent> send(const StepFactors& factors) override {
    std::vector<std::vector<NumberCodec::Sent>> sent(matrices_.size());
    in_parallel(matrices_.size(), threads_, [&](std::size_t m, unsigned) {
      Matrix& matrix = matrices_[m];
      for (LearnerId i = 0; i < learners_; ++i)
        sent[m].push_back(matrix.codec.send(factors.step.index, i, matrix.rows,
                                            factors.rows[i].subspan(matrix.at, matrix.rows * matrix.width)));
    });
    std::vector<std::span<const float>> gathered(factors.rows.begin(), factors.rows.end());
    factors.world.multiply(form_, samples_, factors.parameters, gathered, factors.gradient);

    std::vector<LayerSent> result(layers_.size());
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      if (layers_[l].products.empty()) continue;
      result[l].phases.resize(2);
      Op& op = result[l].phases[0].op.emplace();
      op.word = Word::all_gather;
      op.bytes.assign(learners_, 0);
      add_products(l, result[l].phases[1].work);
    }
    for (std::size_t m = 0; m < matrices_.size(); ++m) {
      const Matrix& matrix = matrices_[m];
      LayerSent& layer = result[matrix.layer];
      for (LearnerId i = 0; i < learners_; ++i) {
        layer.phases[0].op->bytes[i] += sent[m][i].bytes;
        layer.phases[0].op->value_bytes += sent[m][i].value_bytes;
        layer.bytes += sent[m][i].bytes;
      }
      matrix.codec.add_encode_work(matrix.rows, matrix.width, Stage::encode, layer.phases[0].work);
      std::vector<Work> decoding;
      matrix.codec.add_decode_work(matrix.rows, matrix.width, learners_, decoding);
      layer.phases[1].work.insert(layer.phases[1].work.begin(), decoding.begin(), decoding.end());
    }
    return result;
  }

  void save(Writer& writer) const override {
    for (const Matrix& matrix : matrices_) matrix.codec.save(writer);
  }
  void load(Reader& reader) override {
    for (Matrix& matrix : matrices_) matrix.codec.load(reader);
  }

 private:
  struct Matrix {
    std::size_t layer;
    std::uint64_t at, rows, width;
    NumberCodec codec;
  };

  // Of all learners' samples.
  std::uint64_t pooled(std::uint64_t rows) const { return learners_ * samples_ * rows; }
  std::uint64_t inputs_of(const FactorProduct& product) const {
    const TensorInfo& tensor = tensors_[product.parameter];
    return tensor.numel() / static_cast<std::uint64_t>(tensor.shape[0]);
  }

  void add_unfolding(const LayerFactors& layer, std::vector<Work>& work) const {
    const FactorProduct& weight = layer.products[0];
    const std::uint64_t unfolded = layer.matrices[weight.deltas].rows * inputs_of(weight);
    if (unfolded > layer.matrices[weight.inputs].numbers())
      work.push_back({Primitive::elementwise, {pooled(unfolded)}, 1, Stage::decode});
  }

  void add_products(std::size_t l, std::vector<Work>& work) const {
    const LayerFactors& layer = layers_[l];
    auto add = [&](Primitive primitive, std::array<std::uint64_t, 3> sizes) {
      work.push_back({primitive, sizes, 1, Stage::decode});
    };
    if (l + 1 < layers_.size() && !layer.matrices[layer.products[0].deltas].sent) {
      const FactorProduct &own = layer.products[0], &next = layers_[l + 1].products[0];
      const std::uint64_t places = pooled(layers_[l + 1].matrices[next.deltas].rows);
      add(Primitive::gemm, {places, next.count, inputs_of(next)});  // ΔW
      const std::uint64_t outputs = pooled(layer.matrices[own.deltas].numbers());
      if (layer.again) {
        add_unfolding(layer, work);
        add(Primitive::gemm, {pooled(layer.matrices[own.deltas].rows), inputs_of(own), own.count});
        add(Primitive::elementwise, {outputs});
      }
      add(Primitive::elementwise, {outputs});  // φ'
    }
    add_unfolding(layer, work);
    for (const FactorProduct& product : layer.products) {
      const std::uint64_t rows = pooled(layer.matrices[product.deltas].rows);
      if (product.inputs == kNoMatrix)
        add(Primitive::reduction, {rows * product.count});
      else
        add(Primitive::gemm, {product.count, rows, inputs_of(product)});
    }
  }

  FactorForm form_;
  std::uint32_t learners_;
  std::uint64_t samples_;
  unsigned threads_;
  std::vector<TensorInfo> tensors_;
  std::vector<LayerFactors> layers_;
  std::vector<Matrix> matrices_;
};

}  // namespace

std::unique_ptr<FactorExchange> make_gathered_factors(const Scenario& scenario,
                                                      std::span<const TensorInfo> tensors,
                                                      std::span<const LayerFactors> layers,
                                                      unsigned threads) {
  return std::make_unique<GatheredFactors>(scenario, tensors, layers, threads);
}

}  // namespace traincast
