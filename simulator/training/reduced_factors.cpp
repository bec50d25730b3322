// rank-dAD (Baker et al., arXiv 2102.09631; the authors' repositories edad, catalyst-dad and
// coinstac-dinunet): every learner reduces the product ΔᵀA of each layer, which it need not form, to a few
// components by power iterations and sends these; all learners' components are reduced to as many again,
// whose product over the number of learners is everyone's gradient. Every learner does so, alike, with what
// it has gathered (catalyst-dad gathers, too); or a server does, and sends everyone the result
// (coinstac-dinunet). How many components a layer needs before its spectrum is exhausted is the paper's look
// into the network.
//
// A message holds the components that were found, not padded ones; by a codec, their number before them. No
// error memory, and b begins at random in every step. Biases travel as gradients in the same message: the
// authors rebuild them as row sums of the components, which is no gradient. What the server computes is
// charged to the learners, who wait for it.
#include <algorithm>
#include <array>

#include "base/parallel.hpp"
#include "compressors/low_rank/power_iterations.hpp"
#include "simulator/training/factor_exchange.hpp"

namespace traincast {

namespace {

PowerIterations settings_of(const Parameters& p) {
  return {static_cast<std::uint64_t>(p.count("rank")), static_cast<std::uint64_t>(p.count("iterations")),
          p.number("tolerance"), p.word("variant") == "authors"};
}

class ReducedFactors : public FactorExchange {
 public:
  ReducedFactors(const Scenario& scenario, std::span<const TensorInfo> tensors,
                 std::span<const LayerFactors> layers, unsigned threads)
      : learners_(scenario.learners),
        samples_(scenario.training->batch),
        threads_(threads),
        seed_(scenario.seed),
        settings_(settings_of(scenario.training->parameters)),
        by_server_(scenario.training->parameters.word("reduced_by") == "server"),
        layers_(layers.begin(), layers.end()),
        summed_(layers.size(), 0) {
    std::vector<std::uint64_t> first{0};
    for (const TensorInfo& tensor : tensors) first.push_back(first.back() + tensor.numel());
    std::uint64_t at = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      std::vector<std::uint64_t> begins;
      for (const FactorMatrix& matrix : layers_[l].matrices) {
        begins.push_back(at);
        at += samples_ * matrix.numbers();
      }
      for (const FactorProduct& product : layers_[l].products) {
        const FactorMatrix &deltas = layers_[l].matrices[product.deltas],
                           &inputs = layers_[l].matrices[product.inputs];
        const auto id = static_cast<std::uint32_t>(products_.size());
        const std::string name = tensors[product.parameter].name;
        products_.push_back({.layer = l,
                             .deltas = begins[product.deltas],
                             .inputs = begins[product.inputs],
                             .common = samples_ * deltas.rows,
                             .width = deltas.width,
                             .column = product.column,
                             .rows = product.count,
                             .columns = inputs.width,
                             .into = first[product.parameter] + product.row * inputs.width,
                             .codecs = {NumberCodec(scenario, 2 * id, name + " left"),
                                        NumberCodec(scenario, 2 * id + 1, name + " right")}});
      }
      if (!layers_[l].products.empty())
        for (std::uint32_t id : layers_[l].summed) summed_[l] += sizeof(float) * tensors[id].numel();
    }
  }

  FactorForm form() const override { return FactorForm::unfolded; }
  bool reduces() const override { return true; }

  std::vector<LayerSent> send(const StepFactors& factors) override {
    std::vector<std::vector<Components>> own(products_.size(), std::vector<Components>(learners_));
    in_parallel(products_.size() * learners_, threads_, [&](std::size_t at, unsigned) {
      const std::size_t p = at / learners_, i = at % learners_;
      own[p][i] = components_of(p, factors.step.index, static_cast<LearnerId>(i), factors.rows[i]);
    });
    std::vector<ProductSent> sent(products_.size());
    in_parallel(products_.size(), threads_,
                [&](std::size_t p, unsigned) { sent[p] = reduce(p, own[p], factors); });

    std::vector<LayerSent> result(layers_.size());
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      if (layers_[l].products.empty()) continue;
      result[l].phases.resize(2);
      Op& op = result[l].phases[0].op.emplace();
      op.word = by_server_ ? Word::push_pull : Word::all_gather;
      op.bytes.assign(learners_, summed_[l]);
      if (by_server_) op.pulled = summed_[l];
      op.value_bytes = learners_ * summed_[l];
      if (summed_[l] > 0)
        result[l].phases[1].work.push_back(
            {Primitive::elementwise, {summed_[l] / sizeof(float)}, learners_, Stage::decode});
    }
    for (std::size_t p = 0; p < products_.size(); ++p) {
      LayerSent& layer = result[products_[p].layer];
      Op& op = *layer.phases[0].op;
      for (LearnerId i = 0; i < learners_; ++i) {
        op.bytes[i] += sent[p].pushed[i];
        layer.bytes += sent[p].pushed[i];
      }
      op.value_bytes += sent[p].value_bytes;
      if (by_server_) op.pulled += sent[p].pulled;
      layer.effective_rank +=
          sent[p].effective_rank / static_cast<double>(layers_[products_[p].layer].products.size());
      add_work(products_[p], layer);
    }
    return result;
  }

  void save(Writer& writer) const override {
    for (const Product& product : products_)
      for (const NumberCodec& codec : product.codecs) codec.save(writer);
  }
  void load(Reader& reader) override {
    for (Product& product : products_)
      for (NumberCodec& codec : product.codecs) codec.load(reader);
  }

 private:
  struct Product {
    std::size_t layer;
    std::uint64_t deltas, inputs;         // where they begin in a learner's row
    std::uint64_t common, width, column;  // of Δ
    std::uint64_t rows, columns, into;    // of the gradient
    std::array<NumberCodec, 2> codecs;    // of the left and the right factors
  };
  struct ProductSent {
    std::vector<Bytes> pushed;
    Bytes pulled = 0, value_bytes = 0;
    double effective_rank = 0;
  };

  Components components_of(std::size_t p, std::uint64_t step, LearnerId learner,
                           std::span<const float> row) const {
    const Product& product = products_[p];
    std::span<const float> deltas = row.subspan(product.deltas, product.common * product.width);
    std::vector<float> columns;
    if (product.rows < product.width) {
      for (std::uint64_t r = 0; r < product.common; ++r) {
        auto part = deltas.subspan(r * product.width + product.column, product.rows);
        columns.insert(columns.end(), part.begin(), part.end());
      }
      deltas = columns;
    }
    return leading_components(deltas, row.subspan(product.inputs, product.common * product.columns),
                              product.common, settings_,
                              {.seed = seed_,
                               .purpose = Purpose::compressor,
                               .step = step,
                               .learner = learner,
                               .tensor = static_cast<std::uint32_t>(p)});
  }

  // What others have of the components after they have travelled.
  NumberCodec::Sent travel(Product& product, std::uint64_t step, LearnerId sender, Components& components) {
    NumberCodec::Sent all;
    if (components.count == 0) return all;
    for (auto [codec, numbers] : {std::pair(&product.codecs[0], &components.left),
                                  std::pair(&product.codecs[1], &components.right)}) {
      const NumberCodec::Sent one = codec->send(step, sender, components.count, *numbers);
      all.bytes += one.bytes;
      all.value_bytes += one.value_bytes;
    }
    if (!product.codecs[0].dense()) all.bytes += sizeof(std::uint32_t);
    return all;
  }

  ProductSent reduce(std::size_t p, std::vector<Components>& own, const StepFactors& factors) {
    Product& product = products_[p];
    ProductSent sent;
    Components all;
    for (LearnerId i = 0; i < learners_; ++i) {
      const NumberCodec::Sent one = travel(product, factors.step.index, i, own[i]);
      sent.pushed.push_back(one.bytes);
      sent.value_bytes += one.value_bytes;
      sent.effective_rank += static_cast<double>(own[i].count) / learners_;
      all.count += own[i].count;
      all.left.insert(all.left.end(), own[i].left.begin(), own[i].left.end());
      all.right.insert(all.right.end(), own[i].right.begin(), own[i].right.end());
    }
    Components reduced = leading_components(all.left, all.right, all.count, settings_,
                                            {.seed = seed_,
                                             .purpose = Purpose::shared,
                                             .step = factors.step.index,
                                             .learner = learners_,
                                             .tensor = static_cast<std::uint32_t>(p)});
    if (by_server_) sent.pulled = travel(product, factors.step.index, learners_, reduced).bytes;
    std::vector<double> row(product.columns);
    for (std::uint64_t r = 0; r < product.rows; ++r) {
      std::ranges::fill(row, 0.0);
      for (std::size_t j = 0; j < reduced.count; ++j) {
        const auto factor = static_cast<double>(reduced.left[j * product.rows + r]);
        for (std::uint64_t c = 0; c < product.columns; ++c)
          row[c] += factor * static_cast<double>(reduced.right[j * product.columns + c]);
      }
      for (std::uint64_t c = 0; c < product.columns; ++c)
        factors.gradient[product.into + r * product.columns + c] = static_cast<float>(row[c] / learners_);
    }
    return sent;
  }

  void add_work(const Product& product, LayerSent& layer) const {
    const std::uint64_t rank = std::min({settings_.rank, product.rows, product.columns, product.common});
    std::vector<Work>&encode = layer.phases[0].work, &decode = layer.phases[1].work;
    for (const Work& one : power_iteration_work(product.common, product.rows, product.columns, settings_))
      encode.push_back(one);
    auto width = [&](std::size_t side) { return side == 0 ? product.rows : product.columns; };
    for (std::size_t side : {0u, 1u})
      product.codecs[side].add_encode_work(rank, width(side), Stage::encode, encode);
    // The server's, or every learner's.
    for (std::size_t side : {0u, 1u})
      product.codecs[side].add_decode_work(rank, width(side), learners_, decode);
    for (Work one : power_iteration_work(learners_ * rank, product.rows, product.columns, settings_)) {
      one.stage = Stage::decode;
      decode.push_back(one);
    }
    if (by_server_)
      for (std::size_t side : {0u, 1u}) {
        product.codecs[side].add_encode_work(rank, width(side), Stage::decode, decode);
        product.codecs[side].add_decode_work(rank, width(side), 1, decode);
      }
    decode.push_back({Primitive::gemm, {product.rows, rank, product.columns}, 1, Stage::decode});
  }

  std::uint32_t learners_;
  std::uint64_t samples_;
  unsigned threads_;
  std::uint64_t seed_;
  PowerIterations settings_;
  bool by_server_;
  std::vector<LayerFactors> layers_;
  std::vector<Bytes> summed_;  // by layer: biases
  std::vector<Product> products_;
};

}  // namespace

std::unique_ptr<FactorExchange> make_reduced_factors(const Scenario& scenario,
                                                     std::span<const TensorInfo> tensors,
                                                     std::span<const LayerFactors> layers, unsigned threads) {
  return std::make_unique<ReducedFactors>(scenario, tensors, layers, threads);
}

}  // namespace traincast
