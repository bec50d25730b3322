#include <utility>

#include "compressors/codec.hpp"
#include "simulator/training/factor_exchange.hpp"

namespace traincast {

NumberCodec::NumberCodec(const Scenario& scenario, std::uint32_t id, std::string name)
    : seed_(scenario.seed), id_(id), name_(std::move(name)) {
  if (scenario.compressor.entry->name != "none")
    compressor_ = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
}

Bucket NumberCodec::unit(std::uint64_t rows, std::uint64_t width) const {
  return {id_, {{id_, name_, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(width)}, "factor"}}};
}

NumberCodec::Sent NumberCodec::send(std::uint64_t step, LearnerId sender, std::uint64_t rows,
                                    std::span<float> numbers) {
  if (dense()) return {numbers.size_bytes(), numbers.size_bytes()};
  if (numbers.empty()) return {};
  Codec& codec = *compressor_->codec();
  const Bucket of = unit(rows, numbers.size() / rows);
  const UnitDraws draws(seed_, step, id_);
  const KeyedDraws own = draws.own(sender);
  const Call call{of, numbers.size(), step, sender, own, draws.shared()};
  const Message message = codec.encode(numbers, call);
  const Sent sent{message.size(), codec.value_bytes(message, call)};
  std::ranges::fill(numbers, 0.0f);
  codec.decode(message, call).add_to(numbers);
  return sent;
}

void NumberCodec::add_encode_work(std::uint64_t rows, std::uint64_t width, Stage stage,
                                  std::vector<Work>& work) const {
  if (dense()) return;
  for (Work& one : compressor_->codec()->encode_work_of(unit(rows, width))) {
    one.stage = stage;
    work.push_back(one);
  }
}

void NumberCodec::add_decode_work(std::uint64_t rows, std::uint64_t width, std::uint32_t messages,
                                  std::vector<Work>& work) const {
  if (dense()) return;
  for (Work& one : compressor_->codec()->decode_work_of(unit(rows, width), messages)) {
    one.stage = Stage::decode;
    work.push_back(one);
  }
}

void NumberCodec::save(Writer& writer) const {
  if (compressor_) compressor_->save(writer);
}

void NumberCodec::load(Reader& reader) {
  if (compressor_) compressor_->load(reader);
}

}  // namespace traincast
