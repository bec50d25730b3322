// What every method promises that sends messages of a codec. (Others sum their elements in flight, or send
// lists of entries or indices, which have tests of their own.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compressors/codec.hpp"
#include "tests/support/compressor_examples.hpp"
#include "tests/support/compressor_harness.hpp"

namespace traincast {
namespace {

class CodecOf : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<Compressor> method_ = make_compressor(GetParam());
  Codec* codec_ = method_->codec();
  UnitDraws draws_{1, 0, 0};
  KeyedDraws own_ = draws_.own(0);

  Call call_for(const Bucket& unit) const { return {unit, unit.numel(), 0, 0, own_, draws_.shared()}; }
};
std::vector<const char*> with_codecs() {
  std::vector<const char*> found;
  for (const char* json : kMethodExamples)
    if (make_compressor(json)->codec()) found.push_back(json);
  return found;
}
INSTANTIATE_TEST_SUITE_P(Compressor, CodecOf, ::testing::ValuesIn(with_codecs()), [](const auto& example) {
  return name_of(example.param) + "_" + std::to_string(example.index);
});

const std::vector<std::vector<std::int64_t>> kCodecTensors = {{},     {0},   {1},      {3},
                                                              {1023}, {997}, {33, 31}, {5, 3, 3, 3}};

void expect_sound(const Decoded& decoded, std::uint64_t numel) {
  if (decoded.dense) {
    EXPECT_EQ(decoded.values.size(), numel);
    return;
  }
  ASSERT_EQ(decoded.indices.size(), decoded.values.size());
  for (std::size_t j = 0; j < decoded.indices.size(); ++j) {
    ASSERT_LT(decoded.indices[j], numel);
    if (j > 0) {
      ASSERT_LT(decoded.indices[j - 1], decoded.indices[j]);
    }
  }
}

TEST_P(CodecOf, ReadsWhatItWrote) {
  for (const auto& shape : kCodecTensors) {
    Bucket unit = one_tensor(shape);
    const Call call = call_for(unit);
    auto gradient = random_gradients(1, unit.numel())[0];
    auto first = make_compressor(GetParam()), second = make_compressor(GetParam());
    Message message = first->codec()->encode(gradient, call);
    EXPECT_EQ(message, second->codec()->encode(gradient, call));
    expect_sound(codec_->decode(message, call), unit.numel());
    EXPECT_LE(codec_->value_bytes(message, call), message.size());
  }
}

TEST_P(CodecOf, RefusesMessagesCutShortOrTooLong) {
  for (const auto& shape : kCodecTensors) {
    Bucket unit = one_tensor(shape);
    const Call call = call_for(unit);
    Message message = codec_->encode(random_gradients(1, unit.numel())[0], call);
    // A vector of any number of entries may be a shorter message of as many entries as fit: only what ends
    // within one is refused then.
    bool fixed = codec_->size_follows_from_shape();
    for (std::size_t size = 0; size < message.size(); ++size) {
      auto part = std::span(message).first(size);
      if (fixed) {
        EXPECT_THROW(codec_->decode(part, call), InputError) << size << " of " << message.size();
        continue;
      }
      try {
        expect_sound(codec_->decode(part, call), unit.numel());
      } catch (const InputError&) {
      }
    }
    Message longer = message;
    for (int more = 0; more < 3; ++more) {
      longer.push_back(std::byte(0xff));
      EXPECT_THROW(codec_->decode(longer, call), InputError) << message.size() << " and " << more + 1;
    }
  }
}

TEST_P(CodecOf, GivesAVectorOrAnErrorForAnyBytes) {
  RandomStream random({.seed = 9});
  for (const auto& shape : {std::vector<std::int64_t>{130}, {12, 11}}) {
    Bucket unit = one_tensor(shape);
    const Call call = call_for(unit);
    const Message message = codec_->encode(random_gradients(1, unit.numel())[0], call);
    for (int trial = 0; trial < 300; ++trial) {
      Message damaged = message;
      for (int flip = 0; flip <= trial % 4 && !damaged.empty(); ++flip)
        damaged[random.below(damaged.size())] ^= std::byte(1u << random.below(8));
      Vector into(unit.numel(), 0.0f);
      try {
        Decoded decoded = codec_->decode(damaged, call);
        expect_sound(decoded, unit.numel());
        decoded.add_to(into);
      } catch (const InputError&) {
      }
    }
  }
}

}  // namespace
}  // namespace traincast
