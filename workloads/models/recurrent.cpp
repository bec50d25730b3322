// Recurrent networks over words, characters and frames of speech. Hidden states begin at zero in every
// sample: each is a window of its own.
#include "base/error.hpp"
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

// PyTorch's own initial range of embeddings in its word language model, even in ±0.1.
constexpr double kEmbeddingDeviation = 0.0577;

Value stacked(ModelBuilder& net, Value x, const Parameters& p, RecurrentOptions options) {
  for (std::int64_t layer = 0; layer < p.count("layers"); ++layer) {
    x = net.recurrent("rnn", "_l" + std::to_string(layer), x, p.count("units"), options);
    x = net.dropout(x, p.number("dropout"));
  }
  return x;
}

// Zaremba et al. 2014 (layers of LSTM between embedding and softmax), weights tied where asked for (Press and
// Wolf 2017); tensors as PyTorch's word language model names them.
Model language_model(const Parameters& p) {
  ModelBuilder net;
  std::int64_t width = p.count("width"), words = p.count("vocabulary");
  Value x = net.numbers(p.count("length"), {words});
  x = net.dropout(net.embedding("encoder.weight", x, words, width, kEmbeddingDeviation), p.number("dropout"));
  x = stacked(net, x, p, {});
  if (!p.flag("tied")) {
    net.loss(net.linear("decoder", x, words));
    return net.take();
  }
  if (width != p.count("units"))
    throw InputError("tied weights need width equal to units, got " + std::to_string(width) + " and " +
                     std::to_string(p.count("units")));
  net.loss(net.tied_linear("encoder.weight", "decoder.bias", x));
  return net.take();
}

// Bidirectional LSTM layers, a linear bottleneck, and a class for every frame: the hybrid acoustic models
// that are trained on cross-entropy of context-dependent states.
Model speech(const Parameters& p) {
  ModelBuilder net;
  Value x = net.features({p.count("length"), p.count("features")});
  x = stacked(net, x, p, {op::Recurrent::Cell::lstm, true});
  x = net.linear("bottleneck", x, p.count("bottleneck"));
  net.loss(net.linear("output", x, p.count("classes")));
  return net.take();
}

// Cho et al. 2014: the last state of a GRU tells the class of a text.
Model classifier(const Parameters& p) {
  ModelBuilder net;
  std::int64_t length = p.count("length");
  Value x = net.numbers(length, {p.count("vocabulary")});
  x = net.embedding("embedding.weight", x, p.count("vocabulary"), p.count("width"), 1);
  x = stacked(net, x, p, {op::Recurrent::Cell::gru, false});
  x = net.flatten(net.slice(x, {0, length - 1, length, 1}));
  net.loss(net.linear("fc", x, p.count("classes")));
  return net.take();
}

constexpr Parameter kVocabulary{"vocabulary", Unit::count, "[2, 10000000]", "10000",
                                "different words; all others are one"};
constexpr Parameter kWidth{"width", Unit::count, "[1, 65536]", "650", "of the embedding"};
constexpr Parameter kUnits{"units", Unit::count, "[1, 65536]", "650", "of each recurrent layer"};
constexpr Parameter kLayers{"layers", Unit::count, "[1, 64]", "2", "recurrent layers"};
constexpr Parameter kLength{"length", Unit::count, "[2, 65536]", "35", "steps of the recurrence in a sample"};
constexpr Parameter kTied{"tied", Unit::flag, "", "false", "the softmax has the embedding's weights"};

constexpr std::array<Parameter, 7> kLanguage{
    {kVocabulary, kWidth, kUnits, kLayers, kLength, kTied, kDropout}};
constexpr auto kOfWords =
    trained(kLanguage, {{"data", "grammar"}, {"learning_rate", "1"}, {"momentum", "0"}, {"batch", "20"}});
constexpr auto kOfCharacters = trained(kLanguage, {{"data", "grammar"},
                                                   {"vocabulary", "128"},
                                                   {"width", "128"},
                                                   {"units", "128"},
                                                   {"layers", "1"},
                                                   {"length", "64"},
                                                   {"learning_rate", "0.5"},
                                                   {"batch", "8"}});
constexpr auto kSpeech = trained(
    std::array<Parameter, 7>{
        {{"features", Unit::count, "[1, 65536]", "260", "of a frame"},
         {"units", Unit::count, "[1, 65536]", "512", "of each direction of a layer"},
         {"layers", Unit::count, "[1, 64]", "6", "bidirectional layers"},
         {"bottleneck", Unit::count, "[1, 65536]", "256", "units of the linear layer before the output"},
         {"length", Unit::count, "[2, 65536]", "21", "frames in a sample"},
         {"classes", Unit::count, "[2, 10000000]", "32000", "states that a frame can belong to"},
         kDropout}},
    {{"data", "frames"}, {"learning_rate", "0.1"}, {"batch", "16"}});
constexpr auto kClassifier =
    trained(std::array<Parameter, 7>{{kVocabulary, kWidth, kUnits, kLayers, kLength, kClasses, kDropout}},
            {{"data", "grammar"},
             {"width", "128"},
             {"units", "128"},
             {"layers", "1"},
             {"length", "64"},
             {"classes", "2"},
             {"learning_rate", "0.1"},
             {"batch", "16"}});

}  // namespace

const Entry<MakeModel> kLstmWordsModel{
    "lstm_words", "language model over words: layers of LSTM",
    "Zaremba et al. 2014, medium; tied as Press, Wolf 2017 where asked for", kOfWords, language_model};
const Entry<MakeModel> kLstmCharactersModel{
    "lstm_characters", "language model over characters: layers of LSTM",
    "Graves 2013, section 2, without the connections that skip layers", kOfCharacters, language_model};
const Entry<MakeModel> kLstmSpeechModel{
    "lstm_speech", "bidirectional LSTM over frames of speech, a state for every frame",
    "Graves et al. 2013 (bidirectional layers); sizes of hybrid acoustic models for Switchboard", kSpeech,
    speech};
const Entry<MakeModel> kGruClassifierModel{"gru_classifier", "class of a text by the last state of a GRU",
                                           "Cho et al. 2014, section 2.3", kClassifier, classifier};

}  // namespace traincast
