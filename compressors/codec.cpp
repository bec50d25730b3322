#include "compressors/codec.hpp"

#include <algorithm>
#include <string>

namespace traincast {

void Decoded::add_to(std::span<float> into) const {
  if (dense)
    for (std::size_t i = 0; i < values.size(); ++i) into[i] += values[i];
  else
    for (std::size_t j = 0; j < indices.size(); ++j) into[indices[j]] += values[j];
}

namespace {

StreamKey shared_key(std::uint64_t seed, std::uint64_t step, std::uint32_t unit) {
  return {.seed = seed, .purpose = Purpose::shared, .step = step, .learner = 0, .tensor = unit};
}

}  // namespace

UnitDraws::UnitDraws(std::uint64_t seed, std::uint64_t step, std::uint32_t unit)
    : key_(shared_key(seed, step, unit)), shared_(key_) {
  key_.purpose = Purpose::compressor;
}

KeyedDraws UnitDraws::own(LearnerId learner) const {
  StreamKey key = key_;
  key.learner = learner;
  return KeyedDraws(key);
}

Decoded PieceCodec::decode(std::span<const std::byte> message, const Call& call) const {
  check(message, call);
  Decoded sent{true, {}, std::vector<float>(call.numel)};
  for (std::uint64_t begin = 0; begin < call.numel; begin += kPiece)
    piece(message, call, begin,
          std::span(sent.values).subspan(begin, std::min<std::uint64_t>(kPiece, call.numel - begin)));
  return sent;
}

void refuse_message(const char* kind, const std::string& why) {
  throw InputError(std::string(kind) + " message " + why);
}

void expect_message_size(const char* kind, std::span<const std::byte> message, std::uint64_t size) {
  if (message.size() != size)
    refuse_message(kind, "has " + std::to_string(message.size()) + " bytes, not " + std::to_string(size));
}

}  // namespace traincast
