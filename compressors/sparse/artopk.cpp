// AR-TopK: one learner's largest entries are those that all send, so that an all-reduce can sum them.
#include "compressors/methods.hpp"
#include "compressors/sparse/led_support.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that is sent"},
    {"leader", Unit::word, "cyclic|variance", "cyclic",
     "who chooses: each learner in turn (STAR), or the one whose vector has the largest variance (VAR)"},
    kIndexParameter,
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  LedSupport method;
  method.leader = parameters.word("leader") == "cyclic" ? Leader::cyclic : Leader::variance;
  method.index = index_coding(parameters);
  double rate = 1 / parameters.number("density");
  method.rate = [rate](const Bucket&) { return rate; };
  return make_led_support(std::move(method));
}

}  // namespace

const Entry<MakeCompressor> kArTopKMethod{
    "artopk", "one learner's largest entries are sent by all, with local error feedback; summed in flight",
    "Tyagi and Swany 2023 (Flexible communication, arXiv 2312.02493), AR-Topk", kParameters, make};

}  // namespace traincast
