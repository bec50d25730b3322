// Any method of one message, compressed on the way back as well: servers, or learners that own a part each,
// decode, average and encode anew, with error memories on both sides. As BytePS does with its four
// compressors (docs/gradient-compression.md), and 1-bit SGD (Seide et al. 2014, section 4) with its own.
#include "compressors/composed/named_method.hpp"
#include "compressors/methods.hpp"
#include "compressors/recompressed.hpp"

namespace traincast {

namespace {

/// The codec of a method, with the method that owns it.
class CodecOfMethod final : public Codec {
 public:
  explicit CodecOfMethod(std::unique_ptr<Compressor> method) : method_(std::move(method)) {}

  const PieceCodec* in_pieces() const override { return codec().in_pieces(); }
  bool dense() const override { return codec().dense(); }
  bool size_follows_from_shape() const override { return codec().size_follows_from_shape(); }
  bool unbiased() const override { return codec().unbiased(); }
  bool scales() const override { return codec().scales(); }
  Message encode(std::span<const float> values, const Call& call) override {
    return codec().encode(values, call);
  }
  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    return codec().decode(message, call);
  }
  Bytes value_bytes(const Message& message, const Call& call) const override {
    return codec().value_bytes(message, call);
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override { return codec().encode_work(numel); }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return codec().decode_work(numel, learners);
  }
  std::vector<Work> encode_work_of(const Bucket& unit) const override { return codec().encode_work_of(unit); }
  std::vector<Work> decode_work_of(const Bucket& unit, std::uint32_t learners) const override {
    return codec().decode_work_of(unit, learners);
  }
  void save(Writer& writer) const override { codec().save(writer); }
  void load(Reader& reader) override { codec().load(reader); }

 private:
  Codec& codec() const { return *method_->codec(); }

  std::unique_ptr<Compressor> method_;
};

constexpr Parameter kParameters[] = {
    {"compressor", Unit::choice, "", kRequired, "the method, one whose messages are gathered"},
    {"transport", Unit::word, "push_pull|all_to_all", "push_pull",
     "who compresses again: servers, or learners that own a part of every tensor each"},
    {"server_memory", Unit::flag, "", "true", "whether these remember what their answers left out"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  NamedMethod named = read_method(parameters.choice("compressor"));
  auto method = named.make(seed);
  const std::string name = "'" + std::string(named.entry->name) + "' cannot be compressed at both ends: ";
  if (!method->codec() || method->remembers())
    throw InputError(name + "its messages are not gathered ones that servers could decode and encode");
  if (!method->averages_contributions())
    throw InputError(
        name +
        "its answer is more than the mean of messages already; its 'transport' (or 'aggregate') may "
        "have one that is not");
  if (method->coupling() != Coupling::tensor) throw InputError(name + "it sees more than one tensor");
  Recompression how;
  how.way =
      parameters.word("transport") == "push_pull" ? Recompression::Way::servers : Recompression::Way::stripes;
  how.server_memory = parameters.flag("server_memory");
  constexpr std::uint64_t kWord = 32;  // owners' parts of sign messages are whole words
  how.granule = kWord;
  return make_recompressed(std::make_unique<CodecOfMethod>(std::move(method)), how,
                           {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kTwoSidedMethod{
    "two_sided", "any gathered method, averaged and compressed again by servers or owners; both remember",
    "Zhong et al. 2021 (BytePS-Compress, arXiv 2105.07829); BytePS, docs/gradient-compression.md",
    kParameters, make};

}  // namespace traincast
