// Transformers: Vaswani et al., "Attention is all you need", NeurIPS 2017, and what was made of its halves.
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

std::vector<std::int64_t> positions(const Parameters& p) {
  std::int64_t length = p.count("length"), rows = p.count("positions");
  if (length > rows)
    throw InputError("length must not exceed positions, got " + std::to_string(length) + " and " +
                     std::to_string(rows));
  std::vector<std::int64_t> all(static_cast<std::size_t>(length));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

// Radford et al. 2019: norms before each part, GELU, the softmax tied to the embedding; weights begin at
// 0.02, those that end a residual branch smaller by the square root of their number. Tensors as transformers
// names them, weights [outputs, inputs].
Model gpt(const Parameters& p) {
  ModelBuilder net;
  std::int64_t length = p.count("length"), width = p.count("width"), layers = p.count("layers");
  double rate = p.number("dropout");
  Value x = net.numbers(length, {p.count("vocabulary")});
  x = net.embedding("transformer.wte.weight", x, p.count("vocabulary"), width, 0.02);
  x = net.add_rows("transformer.wpe.weight", x, positions(p), p.count("positions"), 0.01);
  x = net.dropout(x, rate);
  auto linear = [&](const std::string& name, Value from, std::int64_t outputs, double deviation) {
    from = net.linear(name, from, outputs);
    net.begin_with(name + ".weight", {0, deviation});
    return from;
  };
  const double ending = 0.02 / std::sqrt(2.0 * static_cast<double>(layers));
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    std::string at = "transformer.h." + std::to_string(layer) + ".";
    Value qkv = linear(at + "attn.c_attn", net.layer_norm(at + "ln_1", x), 3 * width, 0.02);
    auto third = [&](std::int64_t n) { return net.slice(qkv, {1, n * width, (n + 1) * width, 1}); };
    Value y = net.attention(third(0), third(1), third(2), {p.count("heads"), true, rate});
    x = net.add(net.dropout(linear(at + "attn.c_proj", y, width, ending), rate), x);
    y = net.function(op::Function::gelu,
                     linear(at + "mlp.c_fc", net.layer_norm(at + "ln_2", x), 4 * width, 0.02));
    x = net.add(net.dropout(linear(at + "mlp.c_proj", y, width, ending), rate), x);
  }
  net.loss(net.tied_linear("transformer.wte.weight", "", net.layer_norm("transformer.ln_f", x)));
  return net.take();
}

// Devlin et al. 2019: masked words and whether the second half follows the first. Tensors as transformers
// names those of its model for pretraining, heads last.
Model bert(const Parameters& p) {
  ModelBuilder net;
  std::int64_t length = p.count("length"), width = p.count("width");
  double rate = p.number("dropout"), deviation = 0.02;
  auto linear = [&](const std::string& name, Value from, std::int64_t outputs) {
    from = net.linear(name, from, outputs);
    net.begin_with(name + ".weight", {0, deviation});
    return from;
  };
  auto norm = [&](const std::string& name, Value from) { return net.layer_norm(name, from, 1e-12); };
  const std::string words = "embeddings.word_embeddings.weight";
  Value x = net.numbers(length, {p.count("vocabulary")});
  x = net.embedding(words, x, p.count("vocabulary"), width, deviation);
  x = net.add_rows("embeddings.position_embeddings.weight", x, positions(p), p.count("positions"), deviation);
  std::vector<std::int64_t> halves(static_cast<std::size_t>(length), 1);
  std::fill_n(halves.begin(), length / 2, 0);
  x = net.add_rows("embeddings.token_type_embeddings.weight", x, halves, 2, deviation);
  x = net.dropout(norm("embeddings.LayerNorm", x), rate);
  for (std::int64_t layer = 0; layer < p.count("layers"); ++layer) {
    std::string at = "encoder.layer." + std::to_string(layer) + ".";
    Value q = linear(at + "attention.self.query", x, width), k = linear(at + "attention.self.key", x, width);
    Value v = linear(at + "attention.self.value", x, width);
    Value y = net.attention(q, k, v, {p.count("heads"), false, rate});
    y = net.dropout(linear(at + "attention.output.dense", y, width), rate);
    x = norm(at + "attention.output.LayerNorm", net.add(y, x));
    y = net.function(op::Function::gelu, linear(at + "intermediate.dense", x, p.count("inner")));
    y = net.dropout(linear(at + "output.dense", y, width), rate);
    x = norm(at + "output.LayerNorm", net.add(y, x));
  }
  Value first = net.flatten(net.slice(x, {0, 0, 1, 1}));
  Value pooled = net.function(op::Function::tanh, linear("pooler.dense", first, width));
  Value masked = net.function(op::Function::gelu, linear("cls.predictions.transform.dense", x, width));
  masked = norm("cls.predictions.transform.LayerNorm", masked);
  net.loss(net.tied_linear(words, "cls.predictions.bias", masked));
  net.loss(linear("cls.seq_relationship", pooled, 2));
  return net.take();
}

// Section 3 of the paper, norms behind each part; one embedding for both languages and the softmax, scaled by
// √width (section 3.4). A sample holds the source, then the target. Tensors as torch.nn.Transformer's, with
// queries, keys and values apart and without its norms at the ends of both stacks.
Model transformer(const Parameters& p) {
  ModelBuilder net;
  std::int64_t length = p.count("length"), width = p.count("width");
  double rate = p.number("dropout");
  Value sample = net.numbers(2 * length, {p.count("vocabulary")});
  const std::string words = "embedding.weight";
  auto embedded = [&](Value x) {
    x = net.scale(x, std::sqrt(static_cast<double>(width)));
    return net.dropout(net.add_waves(x), rate);
  };
  auto attend = [&](const std::string& at, Value x, Value memory, bool causal) {
    Value q = net.linear(at + ".query", x, width), k = net.linear(at + ".key", memory, width);
    Value v = net.linear(at + ".value", memory, width);
    Value y = net.attention(q, k, v, {p.count("heads"), causal, rate});
    return net.dropout(net.linear(at + ".out_proj", y, width), rate);
  };
  auto feed = [&](const std::string& at, Value x) {
    Value y = net.relu(net.linear(at + ".linear1", x, p.count("inner"), 2));
    return net.dropout(net.linear(at + ".linear2", y, width), rate);
  };
  Value source = embedded(net.embedding(words, net.slice(sample, {0, 0, length, 1}), p.count("vocabulary"),
                                        width, 1 / std::sqrt(static_cast<double>(width))));
  for (std::int64_t layer = 0; layer < p.count("layers"); ++layer) {
    std::string at = "encoder.layers." + std::to_string(layer);
    source = net.layer_norm(at + ".norm1", net.add(attend(at + ".self_attn", source, source, false), source));
    source = net.layer_norm(at + ".norm2", net.add(feed(at, source), source));
  }
  Value target = embedded(net.shared_embedding(words, net.slice(sample, {0, length, 2 * length, 1})));
  for (std::int64_t layer = 0; layer < p.count("layers"); ++layer) {
    std::string at = "decoder.layers." + std::to_string(layer);
    target = net.layer_norm(at + ".norm1", net.add(attend(at + ".self_attn", target, target, true), target));
    target =
        net.layer_norm(at + ".norm2", net.add(attend(at + ".multihead_attn", target, source, false), target));
    target = net.layer_norm(at + ".norm3", net.add(feed(at, target), target));
  }
  net.loss(net.tied_linear(words, "", target));
  return net.take();
}

constexpr Parameter kVocabulary{"vocabulary", Unit::count, "[5, 10000000]", "50257",
                                "different tokens; all others are one"};
constexpr Parameter kLayers{"layers", Unit::count, "[1, 1024]", "12", "of the encoder, and of the decoder"};
constexpr Parameter kWidth{"width", Unit::count, "[1, 65536]", "768", "of the embedding and of every layer"};
constexpr Parameter kHeads{"heads", Unit::count, "[1, 1024]", "12", "of the attention; must divide width"};
constexpr Parameter kInner{"inner", Unit::count, "[1, 262144]", "3072",
                           "units between the two linear layers"};
constexpr Parameter kLength{"length", Unit::count, "[4, 65536]", "128", "tokens in a sample"};
constexpr Parameter kPositions{"positions", Unit::count, "[4, 65536]", "1024",
                               "rows of the table of positions; at least length"};

constexpr auto kGpt =
    trained(std::array<Parameter, 7>{{kVocabulary, kLayers, kWidth, kHeads, kLength, kPositions, kDropout}},
            {{"data", "grammar"}, {"learning_rate", "0.02"}, {"batch", "8"}});
constexpr auto kBert = trained(
    std::array<Parameter, 8>{{kVocabulary, kLayers, kWidth, kHeads, kInner, kLength, kPositions, kDropout}},
    {{"data", "grammar"},
     {"vocabulary", "30522"},
     {"positions", "512"},
     {"dropout", "0.1"},
     {"learning_rate", "0.02"},
     {"batch", "8"}});
constexpr auto kTransformer =
    trained(std::array<Parameter, 7>{{kVocabulary, kLayers, kWidth, kHeads, kInner, kLength, kDropout}},
            {{"data", "grammar"},
             {"vocabulary", "37000"},
             {"layers", "6"},
             {"width", "512"},
             {"heads", "8"},
             {"inner", "2048"},
             {"length", "64"},
             {"dropout", "0.1"},
             {"learning_rate", "0.02"},
             {"batch", "8"}});

}  // namespace

const Entry<MakeModel> kGptModel{"gpt", "GPT-style decoder; the defaults are GPT-2 small",
                                 "Radford et al. 2019; tensors as transformers names them", kGpt, gpt};
const Entry<MakeModel> kBertModel{
    "bert", "BERT-style encoder with its two heads for pretraining; the defaults are BERT-base",
    "Devlin et al. 2019, uncased; tensors as transformers names them", kBert, bert};
const Entry<MakeModel> kTransformerModel{
    "transformer", "encoder and decoder; the defaults are the base model",
    "Vaswani et al. 2017, table 3; tensors as torch.nn.Transformer's", kTransformer, transformer};

}  // namespace traincast
