#include <array>

#include "base/error.hpp"
#include "base/parameter_defaults.hpp"
#include "platforms/accelerators/accelerator.hpp"

namespace traincast {

namespace {

// Accesses count what a framework's own kernels, one for each operation, read and write: |x| 2; a selection
// by four digits of eight bits 4, and 2 to take what is above (PyTorch's multi-block top-k, TensorTopK.cu); a
// Hadamard level's sum, difference and their placing 6. A gathered value costs a sector of 32 bytes beside
// its place and its copy; a scattered one costs two, beside both.
constexpr std::array<Parameter, 18> kNumbers{{
    {"tflops", Unit::ratio, "(0, 1000000]", kRequired, "10^12 floating-point operations a second, at most"},
    {"efficiency", Unit::ratio, "(0, 4]", "0.8",
     "share of it that convolutions and matrix products reach; above 1 where an algorithm saves "
     "multiplications, as Winograd's (an assumption; fit it where a step was timed)"},
    {"memory", Unit::bandwidth, "(0Bps, 1000000GBps]", kRequired, "bandwidth of its memory"},
    {"memory_efficiency", Unit::ratio, "(0, 1]", "0.8", "share of it that programs reach (an assumption)"},
    {"launch", Unit::duration, "[0s, 1s]", "8us",
     "of each operation, in the framework and on the device (an assumption)"},
    {"synchronisation", Unit::duration, "[0s, 1s]", "20us",
     "until the host knows a size that the device found, once a bucket for methods of variable size (an "
     "assumption)"},
    {"elementwise", Unit::ratio, "(0, 100000]", "3", "accesses to memory: two vectors read, one written"},
    {"reduction", Unit::ratio, "(0, 100000]", "1", "accesses: one vector read"},
    {"topk", Unit::ratio, "(0, 100000]", "8",
     "accesses of exact top-k: |x|, four passes over digits, two over what is kept"},
    {"chunk_top1", Unit::ratio, "(0, 100000]", "3", "accesses of the largest of each chunk: |x|, one pass"},
    {"threshold_scan", Unit::ratio, "(0, 100000]", "4",
     "accesses of what is above a threshold: |x|, comparison, places"},
    {"gather", Unit::ratio, "(0, 100000]", "10", "accesses for a value taken from any place"},
    {"scatter", Unit::ratio, "(0, 100000]", "18", "accesses for a value added in any place"},
    {"bit_pack", Unit::ratio, "(0, 100000]", "2.54",
     "accesses to pack or unpack an element: 14.1 ps at 720 GB/s, the slope that HiPress's planner takes for "
     "encoding on V100 (SeCoPa.py)"},
    {"hadamard", Unit::ratio, "(0, 100000]", "6", "accesses at each of log2 n levels"},
    {"level_operations", Unit::count, "[0, 1000]", "5", "operations launched at each of log2 n levels"},
    {"column_operations", Unit::count, "[0, 1000]", "9",
     "operations launched for each column that Gram-Schmidt takes out of the others, as PowerSGD's code has "
     "them: five for its norm and the division, four for the others, which the last column has not"},
    {"qr", Unit::duration, "[0s, 10s]", "110us",
     "of a thin QR decomposition, whatever its rows: 85 to 118 us for ranks 2 to 8 and 256 to 4,096 rows "
     "(torch.linalg.qr, PyTorch pull request 76673)"},
}};

// Peaks are those of fp32 outside tensor cores.
constexpr auto kV100 = with_defaults(kNumbers, {{"tflops", "15.7"}, {"memory", "900GBps"}});
constexpr auto kA100 = with_defaults(kNumbers, {{"tflops", "19.5"}, {"memory", "1555GBps"}});
constexpr auto kH100 = with_defaults(kNumbers, {{"tflops", "67"}, {"memory", "3350GBps"}});
constexpr auto kH200 = with_defaults(kNumbers, {{"tflops", "67"}, {"memory", "4800GBps"}});
constexpr auto kRtx4090 = with_defaults(kNumbers, {{"tflops", "82.6"}, {"memory", "1008GBps"}});
// What launching takes there is told by two rows of PowerSGD's Table 6 that hold no low-rank method: a batch
// with Sign + Norm took 128 ms longer than with Signum (recalled). In the authors' code that is, for each of
// 16 messages of 62 tensors, two divisions of a norm, its value that the host waits for, and an addition; and
// eight operations a tensor for norms and memories: some 3,500 launches and 1,050 synchronisations.
//
// Before PyTorch 1.12 one block selects, in sixteen passes over digits of two bits and two more: on one of 24
// multiprocessors, so 2 + 18 · 24 accesses.
constexpr auto kTitanX = with_defaults(
    kNumbers, {{"tflops", "6.1"}, {"memory", "336.5GBps"}, {"launch", "30us"}, {"topk", "434"}});
// Medians of five calibrations, each of which keeps the quickest of many runs. A framework's own top-k and
// column-wise work are far from this memory's speed there. Four columns were timed without the small number
// that PowerSGD's code adds to a norm: 210 launches; with one launch each for these four additions, 61 · 4 −
// 30 = 214.
constexpr auto kCpu = with_defaults(kNumbers, {{"tflops", "0.092"},
                                               {"efficiency", "1"},
                                               {"memory", "23.5GBps"},
                                               {"memory_efficiency", "1"},
                                               {"launch", "0.41us"},
                                               {"synchronisation", "0.1us"},
                                               {"reduction", "0.92"},
                                               {"topk", "112"},
                                               {"chunk_top1", "12.2"},
                                               {"threshold_scan", "12.1"},
                                               {"gather", "14.7"},
                                               {"scatter", "23.6"},
                                               {"bit_pack", "10.6"},
                                               {"hadamard", "3.8"},
                                               {"column_operations", "61"},
                                               {"qr", "18us"}});

constexpr Parameter kFile[] = {
    {"path", Unit::path, "", kRequired,
     "description that 'traincast-capture --calibrate' wrote, relative to the scenario file"}};

Accelerator described(const Parameters& p) {
  Accelerator a;
  a.flops_per_s = p.number("tflops") * 1e12 * p.number("efficiency");
  a.bytes_per_s = p.number("memory") * p.number("memory_efficiency");
  a.launch_s = p.number("launch");
  a.synchronisation_s = p.number("synchronisation");
  a.qr_s = p.number("qr");
  a.column_operations = static_cast<std::uint32_t>(p.count("column_operations"));
  a.level_operations = static_cast<std::uint32_t>(p.count("level_operations"));
  a.accesses = {p.number("elementwise"), p.number("reduction"),      p.number("topk"),
                p.number("chunk_top1"),  p.number("threshold_scan"), p.number("gather"),
                p.number("scatter"),     p.number("bit_pack"),       p.number("hadamard")};
  a.description = p.resolved();
  return a;
}

constexpr Entry<MakeAccelerator> kAccelerators[] = {
    {"v100", "NVIDIA V100 SXM2, fp32",
     "data sheet 2018: 15.7 TFLOP/s, 900 GB/s; the rest as each number says", kV100, described},
    {"a100", "NVIDIA A100 SXM4 40 GB, fp32",
     "data sheet 2020: 19.5 TFLOP/s (156 with TF32), 1,555 GB/s (80 GB: 2,039); the rest as each number says",
     kA100, described},
    {"h100", "NVIDIA H100 SXM5, fp32",
     "data sheet 2022: 67 TFLOP/s (495 with TF32), 3,350 GB/s; the rest as each number says", kH100,
     described},
    {"h200", "NVIDIA H200 SXM, fp32",
     "data sheet 2023: 67 TFLOP/s (495 with TF32), 4,800 GB/s; the rest as each number says", kH200,
     described},
    {"rtx4090", "NVIDIA GeForce RTX 4090, fp32",
     "Ada architecture white paper 2022: 82.6 TFLOP/s, 1,008 GB/s; the rest as each number says", kRtx4090,
     described},
    {"titan_x", "NVIDIA GeForce GTX Titan X 12 GB (Maxwell) under PyTorch 1.1, as PowerSGD was timed",
     "3,072 cores at 1.0 GHz: 6.1 TFLOP/s, 336.5 GB/s; top-k by one block of 24 multiprocessors "
     "(TensorTopK.cu); launches by what Sign + Norm took longer than Signum there; the rest as each number "
     "says",
     kTitanX, described},
    {"cpu", "one core of a two-core virtual machine (AMD EPYC), one thread of LibTorch 1.13, fp32",
     "measured with 'traincast-capture --calibrate' in November 2026: all numbers but the accesses of an "
     "elementwise pass and the operations of a level; of each column's one addition, a launch",
     kCpu, described},
    {"file", "a description of your own, as 'traincast-capture --calibrate' writes one", "what the file says",
     kFile, [](const Parameters& p) { return read_accelerator(p.path("path")); }},
};

}  // namespace

const Catalog<MakeAccelerator>& accelerator_catalog() {
  static constexpr Catalog<MakeAccelerator> catalog("accelerators", "accelerator", kAccelerators);
  return catalog;
}

Accelerator read_accelerator(const std::string& path) {
  Json json = Json::read_file(path);
  JsonReader root(json, path);
  root.only(std::vector<std::string>{"format", "device", "source", "accelerator"});
  if (root.at("format").integer() != 1)
    root.at("format").refuse("only format 1 is known, got " + root.at("format").shown());
  JsonReader numbers = root.at("accelerator");
  numbers.only_object();
  Accelerator accelerator = described(read_parameters(numbers, "", kNumbers));
  Json description;
  description["name"] = "file";
  description["device"] = root.at("device").text();
  description["source"] = root.at("source").text();
  for (const auto& [key, value] : accelerator.description.members()) description[key] = value;
  accelerator.description = description;
  return accelerator;
}

}  // namespace traincast
