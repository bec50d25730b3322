#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

class SparseCodec final : public Codec {
 public:
  SparseCodec(std::unique_ptr<Selector> selector, SparseFormat format)
      : selector_(std::move(selector)), format_(format) {}

  bool size_follows_from_shape() const override {
    return selector_->count(1).has_value() && fixed_size(format_);
  }
  bool unbiased() const override { return selector_->unbiased() && format_.value == ValueCoding::fp32; }

  Message encode(std::span<const float> values, const Call& call) override {
    auto indices = selector_->select(values, call);
    const float gain = selector_->gain(values.size());
    std::vector<float> chosen(indices.size());
    for (std::size_t j = 0; j < indices.size(); ++j) chosen[j] = gain * values[indices[j]];
    return write_sparse(indices, chosen, call.numel, format_, selector_->count(call.numel).has_value());
  }

  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    SparseVector sent = read_sparse(message, call.numel, format_, selector_->count(call.numel));
    return {false, std::move(sent.indices), std::move(sent.values)};
  }

  Bytes value_bytes(const Message& message, const Call& call) const override {
    auto count = selector_->count(call.numel);
    if (!count) count = read_sparse(message, call.numel, format_, {}).indices.size();
    return coded_value_bytes(format_.value, *count);
  }

  std::vector<Work> encode_work(std::uint64_t numel) const override { return selector_->work(numel); }

  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return {{Primitive::scatter, {numel, selector_->expected(numel), 0}, learners}};
  }

  void save(Writer& writer) const override { selector_->save(writer); }
  void load(Reader& reader) override { selector_->load(reader); }

 private:
  std::unique_ptr<Selector> selector_;
  SparseFormat format_;
};

}  // namespace

std::unique_ptr<Codec> make_sparse_codec(std::unique_ptr<Selector> selector, SparseFormat format) {
  return std::make_unique<SparseCodec>(std::move(selector), format);
}

Coupling scope_of(const Parameters& parameters) {
  const std::string& scope = parameters.word("scope");
  return scope == "tensor" ? Coupling::tensor : scope == "bucket" ? Coupling::bucket : Coupling::model;
}

}  // namespace traincast
