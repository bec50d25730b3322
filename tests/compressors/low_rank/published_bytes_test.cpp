// Volumes of the PowerSGD paper's tables and of larger models, to the byte.
#include <gtest/gtest.h>

#include <cmath>

#include "compressors/low_rank/factors.hpp"
#include "tests/support/compressor_harness.hpp"
#include "tests/support/model_shapes.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

std::uint64_t floats_of(const Bucket& model, std::uint64_t rank, double least_rate = 0) {
  Factors factors = Factors::of(model, rank, least_rate);
  return factors.size(Side::p) + factors.size(Side::q) + factors.rest();
}

double mebibytes(std::uint64_t bytes_of_a_step, int steps) {
  return static_cast<double>(bytes_of_a_step) * steps / (1 << 20);
}

Bucket resnet18() { return {0, resnet18_layers()}; }

// Tables 3 and 4 of Vogels et al. 2019: MB per epoch, which are MiB of the buffers that one worker hands over
// in 24 steps.
TEST(PublishedBytes, PowerSgdOnResNet18) {
  struct Row {
    std::uint64_t rank, bytes;
    double mebibytes;
    int published;
  };
  EXPECT_EQ(resnet18().numel(), 11173962u);
  EXPECT_NEAR(mebibytes(4 * resnet18().numel(), 24), 1023.0, 0.05);
  for (const Row& row :
       {Row{1, 183740, 4.21, 4}, {2, 329040, 7.53, 8}, {4, 619640, 14.18, 14}, {7, 1055540, 24.16, 24}}) {
    EXPECT_EQ(4 * floats_of(resnet18(), row.rank), row.bytes);
    EXPECT_NEAR(mebibytes(row.bytes, 24), row.mebibytes, 0.005);
    EXPECT_EQ(std::lround(mebibytes(row.bytes, 24)), row.published);
  }
  // "461/r×" for the largest layer.
  Bucket largest = one_tensor({512, 512, 3, 3});
  EXPECT_NEAR(double(largest.numel()) / double(floats_of(largest, 1)), 461, 0.5);
}

// Table 7: LSTM on WikiText-2, 70 steps.
TEST(PublishedBytes, PowerSgdOnTheLstm) {
  Bucket lstm = lstm_wikitext2();
  EXPECT_EQ(lstm.numel(), 28949319u);
  EXPECT_EQ(std::lround(mebibytes(4 * lstm.numel(), 70)), 7730);
  for (auto [rank, floats, published] : {std::tuple{1u, 93488u, 25}, {2u, 142507u, 38}, {4u, 240545u, 64}}) {
    EXPECT_EQ(floats_of(lstm, rank), floats);
    EXPECT_EQ(std::lround(mebibytes(4 * floats, 70)), published);
  }
  // A bit an element, in whole words (Signum).
  std::uint64_t words = (lstm.numel() + 31) / 32;
  EXPECT_EQ(std::lround(mebibytes(4 * words, 70)), 242);
}

// A run of entries as long as PowerSGD's factors would be, vectors whole: no indices, for all share the
// place.
TEST(PublishedBytes, RandomBlocksAndPlacesAsLongAsFactors) {
  for (const char* name : {"random_block", "random_k"})
    for (auto [rank, floats] : {std::pair{2u, 82260u}, {7u, 263885u}}) {
      std::uint64_t sent = 0;
      for (const TensorInfo& layer : resnet18_layers()) {
        Bucket unit{layer.id, {layer}};
        char json[100];
        std::snprintf(json, sizeof json, R"({"name": "%s", "density": %.17g})", name,
                      double(floats_of(unit, rank)) / double(unit.numel()));
        UnitRun run(json, 1, unit, ErrorRule{});
        sent += summed_elements(run.step(Vectors(1, Vector(unit.numel(), 1.0f))).phases);
      }
      EXPECT_EQ(sent, floats) << name;
    }
}

struct Derived {
  const char* model;
  Bucket bucket;
  std::uint64_t parameters;
  double megabytes[5];  // rank 1, 2, 4, 8, 16
  double rates[5];      // 0 where none is derived
};

TEST(PublishedBytes, PowerSgdOnLargerModels) {
  const Derived models[] = {{"ResNet-50",
                             bottleneck_resnet({3, 4, 6, 3}),
                             25557032,
                             {0.55, 0.88, 1.54, 2.86, 5.50},
                             {0, 0, 66.5, 35.8, 18.6}},
                            {"ResNet-101",
                             bottleneck_resnet({3, 4, 23, 3}),
                             44549160,
                             {1.10, 1.78, 3.14, 5.85, 11.28},
                             {0, 0, 56.8, 30.5, 15.8}},
                            {"BERT-base",
                             bert_base(30522, 0),
                             109482240,
                             {1.29, 2.09, 3.69, 6.89, 13.29},
                             {0, 0, 118.5, 63.5, 32.9}},
                            {"BERT-base Chinese, 5 classes",
                             bert_base(21128, 5),
                             102271493,
                             {1.26, 2.03, 3.56, 6.61, 12.71},
                             {0, 0, 115, 61.9, 32.2}}};
  for (const Derived& model : models) {
    EXPECT_EQ(model.bucket.numel(), model.parameters) << model.model;
    for (std::size_t i = 0; i < 5; ++i) {
      std::uint64_t floats = floats_of(model.bucket, std::uint64_t{1} << i);
      EXPECT_NEAR(4e-6 * double(floats), model.megabytes[i], 0.0051) << model.model << " rank " << (1 << i);
      if (model.rates[i] > 0) {
        EXPECT_NEAR(double(model.parameters) / double(floats), model.rates[i], 0.051) << model.model;
      }
      // The hook's rule differs where a tensor would hardly shrink.
      EXPECT_NEAR(double(floats_of(model.bucket, std::uint64_t{1} << i, 2)), double(floats),
                  0.02 * double(floats))
          << model.model << " rank " << (1 << i);
    }
  }
}

// PyTorch's layout is output features × the rest. A 1 × 1 convolution in TensorFlow's (kernel, kernel, in,
// out) would be a matrix of one row, whose factors are longer than itself.
TEST(PublishedBytes, ConvolutionsOfOneElementAreCompressed) {
  EXPECT_EQ(floats_of(one_tensor({256, 64, 1, 1}), 4), 4u * (256 + 64));
  EXPECT_EQ(floats_of(one_tensor({1, 1, 64, 256}), 4), 1u + 64 * 256);
  // Almost half of ResNet-50 is of that kind: were it not compressed, the rate at rank 4 would fall from 66
  // below 3.
  Bucket model = bottleneck_resnet({3, 4, 6, 3});
  std::uint64_t of_one = 0;
  for (const TensorInfo& tensor : model.tensors)
    if (tensor.shape.size() == 4 && tensor.shape[2] == 1) {
      of_one += tensor.numel();
      EXPECT_LT(floats_of({0, {tensor}}, 4) * 7, tensor.numel());
    }
  EXPECT_GT(double(of_one) / double(model.numel()), 0.45);
}

TEST(PublishedBytes, RanksAreAtMostTheMatrixsOwn) {
  EXPECT_EQ(floats_of(one_tensor({10, 512}), 16), 10u * (10 + 512));
  EXPECT_EQ(floats_of(one_tensor({64, 3, 3, 3}), 32), 27u * (64 + 27));
}

}  // namespace
}  // namespace traincast
