// ScaleCom: a leader that changes every step chooses the entries for all, so that their values can be summed
// in flight. Chen et al. 2020 (arXiv 2104.11125).
#include "compressors/sparse/scalecom.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "compressors/methods.hpp"
#include "compressors/sparse/led_support.hpp"

namespace traincast {

namespace {
constexpr double kBatch = 32;  // for which the guidance is stated
}  // namespace

double scalecom_rate(double positions, double batch) {
  double rate = positions > 196 ? 25 : positions >= 128 ? 50 : 400;
  return std::max(1.0, rate * batch / kBatch);
}

namespace {

/// How often one sample uses each weight of the tensors of these names.
struct Positions {
  std::string tensors;
  double count;
};

constexpr Parameter kPositionsParameters[] = {
    {"tensors", Unit::word, "", kRequired, "names that fit, as in \"layer1.*\""},
    {"positions", Unit::count, "[1, 1000000000]", kRequired, "height · width of a convolution's output"},
};

constexpr Parameter kParameters[] = {
    {"rate", Unit::count, "[0, 1000000000]", kRequired,
     "entries of a tensor for one that is sent; 1: all are, without indices; 0: the paper's guidance, from "
     "'positions'"},
    {"positions", Unit::choices, "", "[]",
     "of {tensors, positions}, for the guidance: how often a sample uses each weight, the first that fits; "
     "else 1"},
    {"batch", Unit::count, "[1, 1000000]", "32", "samples of a learner's mini-batch, for the guidance"},
    {"selection", Unit::word, "chunk|exact", "chunk",
     "the leader's largest entry of each chunk of 'rate' entries, or its largest of the whole tensor"},
    {"index", Unit::word, "int32|int64|bitmap|elias|packed", "int32",
     "indices on the wire: 4 or 8 bytes each, one bit for each element, gaps in Elias's delta code, or the "
     "place in the chunk in as few bits as it takes"},
    {"beta", Unit::ratio, "(0, 1]", "1", "low-pass filter of the error memory; 1 is plain error feedback"},
};

/// The model's first layer is sent whole.
std::function<double(const Bucket&)> guided(std::vector<Positions> all, double batch) {
  return [all = std::move(all), batch](const Bucket& unit) {
    const TensorInfo& tensor = unit.tensors.at(0);
    if (tensor.id == 0) return 1.0;
    for (const Positions& some : all)
      if (fnmatch(some.tensors.c_str(), tensor.name.c_str(), 0) == 0) return scalecom_rate(some.count, batch);
    return scalecom_rate(1, batch);
  };
}

// Chen et al. 2020, Algorithm 1, with the cyclic local top-k of eq. 4: learner t mod N leads in step t.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  LedSupport method;
  method.by_chunk = parameters.word("selection") == "chunk";
  const bool packed = parameters.word("index") == "packed";
  if (packed)
    method.index.reset();
  else
    method.index = index_coding(parameters);
  method.beta = static_cast<float>(parameters.number("beta"));
  std::vector<Positions> positions;
  for (const JsonReader& at : parameters.choices("positions")) {
    Parameters some = read_parameters(at, "", kPositionsParameters);
    positions.push_back({some.word("tensors"), static_cast<double>(some.count("positions"))});
  }
  if (auto rate = static_cast<double>(parameters.count("rate")); rate > 0) {
    if (!positions.empty())
      throw InputError(
          "'positions' is for the paper's guidance, but 'rate' is given too; 0 leaves it to them");
    if (parameters.count("batch") != static_cast<std::int64_t>(kBatch))
      throw InputError("'batch' is for the paper's guidance, but 'rate' is given too; 0 leaves it to that");
    method.rate = [rate](const Bucket&) { return rate; };
  } else {
    method.rate = guided(std::move(positions), static_cast<double>(parameters.count("batch")));
  }
  if (packed && !method.by_chunk)
    throw InputError(
        "'index' is \"packed\", which needs one entry per chunk, but 'selection' is \"exact\"; allowed with "
        "it: int32, int64, bitmap, elias");
  return make_led_support(std::move(method));
}

}  // namespace

const Entry<MakeCompressor> kScaleComMethod{
    "scalecom", "one learner in turn chooses the entries, all send those; summed in flight",
    "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), Algorithm 1", kParameters, make};

}  // namespace traincast
