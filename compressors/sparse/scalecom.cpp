// ScaleCom: a leader that changes every step chooses the entries for all, so that their values can be summed
// in flight. Chen et al. 2020 (arXiv 2104.11125).
#include <string>

#include "compressors/methods.hpp"
#include "compressors/sparse/led_support.hpp"

namespace traincast {

namespace {

constexpr Parameter kParameters[] = {
    {"rate", Unit::count, "[1, 1000000000]", kRequired, "entries of a tensor for one that is sent"},
    {"selection", Unit::word, "chunk|exact", "chunk",
     "the leader's largest entry of each chunk of 'rate' entries, or its largest of the whole tensor"},
    {"index", Unit::word, "int32|packed", "int32",
     "indices on the wire: four bytes, or the place in the chunk in as few bits as it takes"},
    {"beta", Unit::ratio, "(0, 1]", "1", "low-pass filter of the error memory; 1 is plain error feedback"},
};

// Chen et al. 2020, Algorithm 1, with the cyclic local top-k of eq. 4: learner t mod N leads in step t.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  LedSupport method;
  method.by_chunk = parameters.word("selection") == "chunk";
  method.packed = parameters.word("index") == "packed";
  method.beta = static_cast<float>(parameters.number("beta"));
  auto rate = static_cast<double>(parameters.count("rate"));
  method.rate = [rate](const Bucket&) { return rate; };
  if (method.packed && !method.by_chunk)
    throw InputError(
        "'index' is \"packed\", which needs one entry per chunk, but 'selection' is \"exact\"; allowed with "
        "it: \"int32\"");
  return make_led_support(std::move(method));
}

}  // namespace

const Entry<MakeCompressor> kScaleComMethod{
    "scalecom", "one learner in turn chooses the entries, all send those; summed in flight",
    "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), Algorithm 1", kParameters, make};

}  // namespace traincast
