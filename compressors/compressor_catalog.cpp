#include "compressors/compressor_catalog.hpp"

#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr Parameter kNone[] = {
    {"precision", Unit::word, "fp32|bf16", "fp32", "elements on the wire, summed in that precision"},
};
constexpr Parameter kTopK[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that each learner sends"},
};
constexpr Parameter kScaleCom[] = {
    {"rate", Unit::count, "[1, 1000000000]", kRequired, "entries of a tensor for one that is sent"},
    {"selection", Unit::word, "chunk|exact", "chunk",
     "the leader's largest entry of each chunk of 'rate' entries, or its largest of the whole tensor"},
    {"index", Unit::word, "int32|packed", "int32",
     "indices on the wire: four bytes, or the place in the chunk in as few bits as it takes"},
    {"beta", Unit::ratio, "(0, 1]", "1", "low-pass filter of the error memory; 1 is plain error feedback"},
};
constexpr Parameter kPowerSgd[] = {
    {"rank", Unit::count, "[1, inf)", kRequired, "columns of the two factors, at most the matrix's own"},
    {"warm_start", Unit::flag, "", "true", "start from the factor of the step before"},
};

constexpr Entry<MakeCompressor> kCompressors[] = {
    {"none", "sends the gradient as it is, fp32 or bf16; summed in flight",
     "bf16 as PyTorch's bf16_compress_hook: cast, divide by N, sum", kNone, make_none},
    {"topk", "sends each learner's entries of largest magnitude, with local error feedback; gathered",
     "Stich et al. 2018 (Mem-SGD, arXiv 1809.07599), Algorithm 1", kTopK, make_topk},
    {"scalecom", "one learner in turn chooses the entries, all send those; summed in flight",
     "Chen et al. 2020 (ScaleCom, arXiv 2104.11125), Algorithm 1", kScaleCom, make_scalecom},
    {"powersgd", "sends matrices as products of two thin ones, vectors dense; summed in flight",
     "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Algorithms 1 and 2", kPowerSgd, make_powersgd},
};

constexpr std::string_view kQuantised = "quantised methods come with a later version";
constexpr std::string_view kSparse = "further sparse methods come with a later version";
constexpr std::string_view kMerging = "methods that merge messages on the way come with a later version";
constexpr std::string_view kLowRank = "further low-rank methods come with a later version";
constexpr std::string_view kInTheLoop = "it needs training in the loop, which comes with a later version";

constexpr Planned kPlanned[] = {
    {"qsgd", kQuantised},
    {"terngrad", kQuantised},
    {"signsgd", kQuantised},
    {"signum", kQuantised},
    {"ef_signsgd", kQuantised},
    {"onebit_sgd", kQuantised},
    {"onebit_adam", kQuantised},
    {"natural", kQuantised},
    {"fp16", "half precision comes with a later version; 'none' has 'precision': bf16"},
    {"bf16", "it is 'none' with 'precision': bf16"},
    {"int8", kQuantised},
    {"fosgd", kQuantised},
    {"eden", kQuantised},
    {"thc", kQuantised},
    {"cgx", kQuantised},
    {"dgc", kSparse},
    {"random_k", kSparse},
    {"random_block", kSparse},
    {"threshold", kSparse},
    {"wangni", kSparse},
    {"sidco", kSparse},
    {"mstopk", kSparse},
    {"artopk", kSparse},
    {"gtopk", kMerging},
    {"oktopk", kMerging},
    {"omnireduce", kMerging},
    {"atomo", kLowRank},
    {"gradiveq", kLowRank},
    {"lsg", kLowRank},
    {"sasg", kInTheLoop},
    {"lasg", kInTheLoop},
    {"dad", kInTheLoop},
    {"edad", kInTheLoop},
    {"rank_dad", kInTheLoop},
    {"local_sgd", kInTheLoop},
};

}  // namespace

const Catalog<MakeCompressor>& compressor_catalog() {
  static constexpr Catalog<MakeCompressor> catalog("compressors", "compressor", kCompressors, kPlanned);
  return catalog;
}

}  // namespace traincast
