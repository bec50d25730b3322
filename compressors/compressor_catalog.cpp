#include "compressors/compressor_catalog.hpp"

#include "compressors/methods.hpp"

namespace traincast {

namespace {

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
  static const Entry<MakeCompressor> methods[] = {
      kNoneMethod,
      kTopKMethod,
      kScaleComMethod,
      kPowerSgdMethod,
  };
  static const Catalog<MakeCompressor> catalog("compressors", "compressor", methods, kPlanned);
  return catalog;
}

}  // namespace traincast
