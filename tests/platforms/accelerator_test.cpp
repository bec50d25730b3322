// Accelerators: closed forms of every primitive, and what must hold of every description.
#include "platforms/accelerators/accelerator.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

Accelerator made(const std::string& text) {
  Json json = Json::parse(text, "test");
  JsonReader reader(json, "test");
  const auto& entry = accelerator_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters));
}

// Round numbers: 1 TFLOP/s and 100 GB/s reached, 10 us to launch.
Accelerator plain() {
  return made(
      R"({"name": "v100", "tflops": 2, "efficiency": 0.5, "memory": "200GBps", "memory_efficiency": 0.5,
                  "launch": "10us", "bit_pack": 2})");
}

double seconds(Primitive primitive, std::array<std::uint64_t, 3> sizes, std::uint32_t count = 1) {
  return plain().seconds(Work{primitive, sizes, count});
}

constexpr double kLaunch = 10e-6;
/// Of words of four bytes at 100 GB/s.
double moved(double words) { return 4 * words / 100e9; }

TEST(Accelerator, PassesOverAVectorTakeALaunchAndTheirAccesses) {
  EXPECT_DOUBLE_EQ(seconds(Primitive::elementwise, {1'000'000, 0, 0}), kLaunch + moved(3e6));
  EXPECT_DOUBLE_EQ(seconds(Primitive::reduction, {1'000'000, 0, 0}), kLaunch + moved(1e6));
  EXPECT_DOUBLE_EQ(seconds(Primitive::bit_pack, {1'000'000, 1, 0}), kLaunch + moved(2e6 + 1e6 / 32));
}

TEST(Accelerator, SelectionTakesWhatItReadsAndTheValuesItKeeps) {
  EXPECT_DOUBLE_EQ(seconds(Primitive::topk, {1'000'000, 1000, 0}), 3 * kLaunch + moved(8e6 + 10e3));
  EXPECT_DOUBLE_EQ(seconds(Primitive::chunk_top1, {1'000'000, 100, 0}), 3 * kLaunch + moved(3e6 + 10 * 10e3));
  EXPECT_DOUBLE_EQ(seconds(Primitive::threshold_scan, {1'000'000, 1000, 0}), 4 * kLaunch + moved(4e6 + 10e3));
}

TEST(Accelerator, PlacesThatLieApartCostASectorEachAndAllTogetherNoMoreThanThePasses) {
  EXPECT_DOUBLE_EQ(seconds(Primitive::gather, {1'000'000, 1000, 0}), kLaunch + moved(10e3));
  EXPECT_DOUBLE_EQ(seconds(Primitive::scatter, {1'000'000, 1000, 0}), kLaunch + moved(18e3));
  EXPECT_DOUBLE_EQ(seconds(Primitive::gather, {1'000'000, 1'000'000, 0}), kLaunch + moved(3e6));
  EXPECT_DOUBLE_EQ(seconds(Primitive::scatter, {1'000'000, 1'000'000, 0}), kLaunch + moved(4e6));
}

TEST(Accelerator, AHadamardTransformHasLog2OfItsSizeLevels) {
  EXPECT_DOUBLE_EQ(seconds(Primitive::hadamard, {1 << 20, 0, 0}), 20 * (5 * kLaunch + moved(6 * 1048576.0)));
}

// 1024 × 1024 × 1024: 2.1 GFLOP at 1 TFLOP/s. A thin product reads its matrix once.
TEST(Accelerator, AProductIsBoundByArithmeticOrByMemory) {
  EXPECT_DOUBLE_EQ(seconds(Primitive::gemm, {1024, 1024, 1024}), kLaunch + 2 * 1024.0 * 1024 * 1024 / 1e12);
  EXPECT_DOUBLE_EQ(seconds(Primitive::gemm, {4096, 512, 1}), kLaunch + moved(4096.0 * 512 + 512 + 4096));
}

// PowerSGD's reference launches five operations to normalise a column and four to project it out of the rest.
TEST(Accelerator, GramSchmidtLaunchesInProportionToTheRank) {
  for (std::uint64_t rank : {1, 2, 4, 7})
    EXPECT_NEAR(seconds(Primitive::gram_schmidt, {64, rank, 0}), static_cast<double>(9 * rank - 4) * kLaunch,
                moved(64.0 * 30 * static_cast<double>(rank)))
        << rank;
}

// 85 to 118 us were measured for ranks 2 to 8 and 256 to 4,096 rows.
TEST(Accelerator, AQrDecompositionTakesATenthOfAMillisecondWhateverItsRows) {
  Accelerator v100 = made(R"("v100")");
  for (std::uint64_t rows : {256, 512, 1024, 2048, 4096})
    for (std::uint64_t rank : {2, 4, 8}) {
      double s = v100.seconds(Work{Primitive::qr, {rows, rank, 0}});
      EXPECT_GT(s, 85e-6);
      EXPECT_LT(s, 118.5e-6) << rows << " × " << rank;
    }
}

// Two products for each of the ten columns, one after the other, whichever side is longer.
TEST(Accelerator, AnSvdLaunchesInProportionToTheThinSide) {
  double flops = 6 * 1000.0 * 10 * 10 + 20 * 10 * 10 * 10;
  EXPECT_NEAR(seconds(Primitive::svd, {1000, 10, 0}) - seconds(Primitive::qr, {1, 0, 0}),
              20 * kLaunch + std::max(moved(2 * 1000.0 * 10 + 2 * 1000.0 / 3), flops / 1e12), 1e-12);
  EXPECT_EQ(seconds(Primitive::svd, {10, 1000, 0}), seconds(Primitive::svd, {1000, 10, 0}));
}

TEST(Accelerator, ALayerTakesWhatItsArithmeticOrItsMemoryTakes) {
  EXPECT_DOUBLE_EQ(plain().seconds(LayerPass{1e9, 1e6, 2}), 2 * kLaunch + 1e-3);
  EXPECT_DOUBLE_EQ(plain().seconds(LayerPass{1e6, 1e9, 1}), kLaunch + 1e-2);
  EXPECT_EQ(plain().seconds(LayerPass{}), 0);
}

TEST(Accelerator, NumbersOfADescribedOneCanBeReplaced) {
  EXPECT_DOUBLE_EQ(made(R"({"name": "a100", "tflops": 156, "efficiency": 0.5})").flops_per_s, 78e12);
  EXPECT_DOUBLE_EQ(made(R"("a100")").bytes_per_s, 1555e9 * 0.8);
}

// 25.6 million elements in 16 two-bit passes by one block of 24 multiprocessors: a sixth of a second, against
// two milliseconds on a V100 with a selection by all.
TEST(Accelerator, TheTitanXSelectsWithOneBlock) {
  Work whole{Primitive::topk, {25'557'032, 255'570, 0}};
  EXPECT_NEAR(made(R"("titan_x")").seconds(whole), 0.165, 0.002);
  EXPECT_LT(made(R"("v100")").seconds(whole), 2e-3);
}

class EveryAccelerator : public ::testing::TestWithParam<std::string> {
 protected:
  Accelerator accelerator() const { return made("{\"name\": \"" + GetParam() + "\"}"); }
};

std::vector<std::string> described() {
  std::vector<std::string> names = accelerator_catalog().names();
  std::erase(names, "file");
  return names;
}
INSTANTIATE_TEST_SUITE_P(Accelerators, EveryAccelerator, ::testing::ValuesIn(described()),
                         [](const auto& name) { return name.param; });

const std::vector<Primitive> kPrimitives{
    Primitive::elementwise, Primitive::reduction,      Primitive::topk,
    Primitive::chunk_top1,  Primitive::threshold_scan, Primitive::gather,
    Primitive::scatter,     Primitive::bit_pack,       Primitive::hadamard,
    Primitive::gemm,        Primitive::gram_schmidt,   Primitive::qr,
    Primitive::svd};

TEST_P(EveryAccelerator, HasASoundTableAndASource) {
  Json name = GetParam();
  const auto& entry = accelerator_catalog().find(JsonReader(name, "test"));
  EXPECT_EQ(table_error(entry.parameters), "");
  EXPECT_FALSE(entry.source.empty());
}

TEST_P(EveryAccelerator, GivesFinitePositiveSecondsThatGrowWithEverySize) {
  Accelerator a = accelerator();
  for (Primitive primitive : kPrimitives) {
    std::array<std::uint64_t, 3> small{5000, 4, 3};
    double least = a.seconds(Work{primitive, small});
    EXPECT_TRUE(std::isfinite(least) && least > 0) << to_string(primitive);
    // A larger chunk leaves fewer values to take.
    std::size_t sizes = primitive == Primitive::chunk_top1 ? 1 : 3;
    for (std::size_t i = 0; i < sizes; ++i) {
      double last = least;
      for (std::uint64_t more : {2, 3, 10, 1000}) {
        std::array<std::uint64_t, 3> larger = small;
        larger[i] *= more;
        double now = a.seconds(Work{primitive, larger});
        EXPECT_TRUE(std::isfinite(now)) << to_string(primitive);
        EXPECT_GE(now, last) << to_string(primitive) << ", size " << i << " × " << more;
        last = now;
      }
    }
  }
}

TEST_P(EveryAccelerator, TakesKTimesAsLongForKOfAKindAndNothingForNothing) {
  Accelerator a = accelerator();
  for (Primitive primitive : kPrimitives) {
    EXPECT_NEAR(a.seconds(Work{primitive, {5000, 4, 3}, 21}), 21 * a.seconds(Work{primitive, {5000, 4, 3}}),
                1e-12)
        << to_string(primitive);
    EXPECT_EQ(a.seconds(Work{primitive, {0, 0, 0}}), 0) << to_string(primitive);
  }
}

TEST_P(EveryAccelerator, TakesAtLeastALaunchForOneElement) {
  Accelerator a = accelerator();
  for (Primitive primitive : kPrimitives)
    EXPECT_GE(a.seconds(Work{primitive, {1, 1, 1}}), std::min(a.launch_s, a.qr_s)) << to_string(primitive);
}

TEST(AcceleratorFile, IsReadWithItsDeviceAndSource) {
  ScratchFolder folder;
  write_text_file(folder / "mine.json",
                  R"({"format": 1, "device": "a board", "source": "measured",
                      "accelerator": {"tflops": 3, "efficiency": 1, "memory": "50GBps", "topk": 100}})");
  Accelerator mine = read_accelerator(folder / "mine.json");
  EXPECT_DOUBLE_EQ(mine.flops_per_s, 3e12);
  EXPECT_DOUBLE_EQ(mine.accesses.topk, 100);
  EXPECT_EQ(mine.description.at("device").text(), "a board");
  EXPECT_EQ(mine.description.at("source").text(), "measured");
}

TEST(AcceleratorFile, IsRefusedAtItsPlace) {
  ScratchFolder folder;
  std::string path = folder / "mine.json";
  auto refused = [&](const std::string& text) {
    write_text_file(path, text);
    return refusal([&] { read_accelerator(path); });
  };
  EXPECT_EQ(refused(R"({"format": 2, "device": "x", "source": "", "accelerator": {}})"),
            path + ":/format: only format 1 is known, got 2");
  EXPECT_EQ(refused(R"({"format": 1, "device": "x", "source": "", "accelerator": {"tflop": 1}})")
                .substr(0, path.size() + 61),
            path + ":/accelerator/tflop: unknown key; did you mean 'tflops'?; kno");
  EXPECT_EQ(
      refused(
          R"({"format": 1, "device": "x", "source": "", "accelerator": {"tflops": 1, "memory": "0GBps"}})"),
      path + ":/accelerator/memory: must lie in (0Bps, 1000000GBps], got \"0GBps\"");
}

}  // namespace
}  // namespace traincast
