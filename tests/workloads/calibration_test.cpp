// Calibration: what is fitted gives back the seconds that it was fitted to, and what is measured here can be
// used.
#include "workloads/capture/calibration.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "platforms/accelerators/accelerator.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/capture/capture_options.hpp"

namespace traincast {
namespace {

Accelerator described(const std::string& name) {
  Json bare = name;
  const auto& entry = accelerator_catalog().find(JsonReader(bare, "test"));
  return entry.make(read_parameters(JsonReader(bare, "test"), entry.name, entry.parameters));
}

Accelerator read_back(const Json& numbers) {
  Json description;
  description["format"] = 1;
  description["device"] = "test";
  description["source"] = "test";
  description["accelerator"] = numbers;
  ScratchFolder folder;
  write_text_file(folder / "fitted.json", description.dump());
  return read_accelerator(folder / "fitted.json");
}

constexpr std::uint64_t kLongest = std::uint64_t{1} << 22;

// The formulas of platforms/accelerators, inverted: at sizes that were never tried too.
TEST(Calibration, GivesBackTheSecondsOfADescribedAccelerator) {
  for (const auto& [name, longest] :
       {std::pair{"v100", kLongest}, std::pair{"titan_x", kLongest}, std::pair{"h200", 4 * kLongest}}) {
    Accelerator truth = described(name);
    Accelerator fitted = read_back(calibrated_numbers(
        [&](Primitive primitive, std::array<std::uint64_t, 3> sizes) {
          return truth.seconds(Work{primitive, sizes});
        },
        truth.synchronisation_s, longest));
    EXPECT_NEAR(fitted.launch_s, truth.launch_s, 1e-5 * truth.launch_s);
    EXPECT_NEAR(fitted.bytes_per_s, truth.bytes_per_s, 1e-5 * truth.bytes_per_s);
    EXPECT_NEAR(fitted.flops_per_s, truth.flops_per_s, 1e-5 * truth.flops_per_s);
    EXPECT_NEAR(fitted.synchronisation_s, truth.synchronisation_s, 1e-9);
    for (const Work& work :
         {Work{Primitive::elementwise, {100'000, 0, 0}}, Work{Primitive::reduction, {100'000, 0, 0}},
          Work{Primitive::topk, {1'000'000, 3000, 0}}, Work{Primitive::chunk_top1, {1'000'000, 70, 0}},
          Work{Primitive::threshold_scan, {1'000'000, 3000, 0}},
          Work{Primitive::gather, {1'000'000, 3000, 0}}, Work{Primitive::scatter, {1'000'000, 3000, 0}},
          Work{Primitive::bit_pack, {1'000'000, 4, 0}}, Work{Primitive::hadamard, {1 << 16, 0, 0}},
          Work{Primitive::gemm, {512, 4608, 64}}, Work{Primitive::gram_schmidt, {512, 7, 0}},
          Work{Primitive::qr, {512, 7, 0}}})
      EXPECT_NEAR(fitted.seconds(work), truth.seconds(work), 1e-3 * truth.seconds(work))
          << name << " " << to_string(work.primitive);
  }
}

TEST(Calibration, StaysWithinTheRangesWhateverAClockSays) {
  for (double seconds : {0.0, 1e-12, 1.0})
    EXPECT_NO_THROW(read_back(calibrated_numbers([&](auto, auto) { return seconds; }, 0, kLongest)))
        << seconds;
}

TEST(Calibration, MeasuresThisProcessor) {
  Json description = calibrate(/*cuda=*/false);
  EXPECT_FALSE(description.at("device").text().empty());
  Accelerator here = read_back(description.at("accelerator"));
  // No processor's one thread is outside these.
  EXPECT_GT(here.flops_per_s, 1e8);
  EXPECT_LT(here.flops_per_s, 1e13);
  EXPECT_GT(here.bytes_per_s, 1e8);
  EXPECT_LT(here.bytes_per_s, 1e12);
  // A selection reads what a sum reads, and does more with it.
  const Work selection{Primitive::topk, {4'000'000, 40'000, 0}}, sum{Primitive::reduction, {4'000'000, 0, 0}};
  EXPECT_GT(here.seconds(selection), here.seconds(sum));
}

TEST(Calibration, IsAskedForAlone) {
  auto parsed = [](std::vector<const char*> words) { return parse_command_line(words); };
  EXPECT_EQ(parsed({"--calibrate", "here.json", "--device", "cpu"})->calibrate, "here.json");
  EXPECT_EQ(refusal([&] {
              parsed({"--calibrate", "here.json", "--steps", "3"});
            }),
            "--steps: goes with capturing, not with --calibrate");
  EXPECT_EQ(refusal([&] { parsed({"--calibrate", ""}); }), "--calibrate: must name a file");
}

}  // namespace
}  // namespace traincast
