// Shapes of the tensors of models for which the volume of a step is published or derived.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/exchange.hpp"

namespace traincast {

class ModelShapes {
 public:
  void add(std::vector<std::int64_t> shape) {
    const auto id = static_cast<std::uint32_t>(bucket_.tensors.size());
    bucket_.tensors.push_back({id, "tensor" + std::to_string(id), std::move(shape), ""});
  }
  /// Without a bias, and the normalisation behind it.
  void convolution(std::int64_t out, std::int64_t in, std::int64_t kernel) {
    add({out, in, kernel, kernel});
    normalisation(out);
  }
  void normalisation(std::int64_t features) {
    add({features});
    add({features});
  }
  void linear(std::int64_t out, std::int64_t in) {
    add({out, in});
    add({out});
  }
  const Bucket& bucket() const { return bucket_; }

 private:
  Bucket bucket_;
};

/// ResNet-50 or 101 for ImageNet (He et al. 2016): `blocks` bottlenecks in each of four stages.
inline Bucket bottleneck_resnet(const std::vector<int>& blocks) {
  ModelShapes model;
  model.convolution(64, 3, 7);
  std::int64_t in = 64, width = 64;
  for (int count : blocks) {
    for (int block = 0; block < count; ++block) {
      model.convolution(width, in, 1);
      model.convolution(width, width, 3);
      model.convolution(4 * width, width, 1);
      if (block == 0) model.convolution(4 * width, in, 1);
      in = 4 * width;
    }
    width *= 2;
  }
  model.linear(1000, in);
  return model.bucket();
}

/// BERT-base (Devlin et al. 2019) with a pooler, and a classifier where there are classes.
inline Bucket bert_base(std::int64_t vocabulary, std::int64_t classes) {
  constexpr std::int64_t kHidden = 768;
  ModelShapes model;
  for (std::int64_t rows : {vocabulary, std::int64_t{512}, std::int64_t{2}}) model.add({rows, kHidden});
  model.normalisation(kHidden);
  for (int layer = 0; layer < 12; ++layer) {
    for (int projection = 0; projection < 4; ++projection) model.linear(kHidden, kHidden);
    model.normalisation(kHidden);
    model.linear(4 * kHidden, kHidden);
    model.linear(kHidden, 4 * kHidden);
    model.normalisation(kHidden);
  }
  model.linear(kHidden, kHidden);
  if (classes > 0) model.linear(classes, kHidden);
  return model.bucket();
}

/// The language model of the PowerSGD paper: three LSTM layers of 650, the embedding of 28,869 words shared
/// with the decoder.
inline Bucket lstm_wikitext2() {
  constexpr std::int64_t kHidden = 650, kVocabulary = 28869;
  ModelShapes model;
  model.add({kVocabulary, kHidden});
  for (int layer = 0; layer < 3; ++layer) {
    for (int matrix = 0; matrix < 2; ++matrix) model.add({4 * kHidden, kHidden});
    for (int bias = 0; bias < 2; ++bias) model.add({4 * kHidden});
  }
  model.add({kVocabulary});
  return model.bucket();
}

}  // namespace traincast
