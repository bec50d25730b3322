#include "simulator/pass/exchange_file.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/serial.hpp"
#include "base/sha256.hpp"

namespace traincast {

namespace {

constexpr std::string_view kFirstLine = "traincast exchange 5\n";
constexpr std::size_t kDigest = 64;

// Scalars of a step, so that writing and reading cannot differ.
constexpr double StepRecord::*kSums[] = {&StepRecord::mean_gradient_square, &StepRecord::error_square,
                                         &StepRecord::mean_input_square,    &StepRecord::residual_square,
                                         &StepRecord::gradient_square,      &StepRecord::memory_square,
                                         &StepRecord::mean_support,         &StepRecord::independent_union};

template <class T>
void put_list(Writer& writer, const std::vector<T>& list, void (*put)(Writer&, const T&)) {
  writer.put<std::uint64_t>(list.size());
  for (const T& item : list) put(writer, item);
}

template <class T>
std::vector<T> get_list(Reader& reader, T (*get)(Reader&)) {
  std::vector<T> list;
  auto size = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < size; ++i) list.push_back(get(reader));
  return list;
}

template <class T>
void put_values(Writer& writer, const std::vector<T>& values) {
  writer.put_all(std::span<const T>(values));
}

void put_tensor(Writer& writer, const TensorInfo& tensor) {
  writer.put(tensor.id);
  writer.put_text(tensor.name);
  put_values(writer, tensor.shape);
  writer.put_text(tensor.kind);
}

TensorInfo get_tensor(Reader& reader) {
  TensorInfo tensor;
  tensor.id = reader.get<std::uint32_t>();
  tensor.name = reader.get_text();
  tensor.shape = reader.get_all<std::int64_t>();
  tensor.kind = reader.get_text();
  return tensor;
}

void put_bucket(Writer& writer, const Bucket& bucket) {
  writer.put(bucket.id);
  put_list(writer, bucket.tensors, put_tensor);
}

Bucket get_bucket(Reader& reader) {
  auto id = reader.get<std::uint32_t>();
  return {id, get_list(reader, get_tensor)};
}

void put_work(Writer& writer, const Work& work) {
  writer.put(work.primitive);
  writer.put(work.sizes);
  writer.put(work.count);
  writer.put(work.stage);
  writer.put(work.only.has_value());
  writer.put(work.only.value_or(0));
}

Work get_work(Reader& reader) {
  Work work;
  work.primitive = reader.get<Primitive>();
  work.sizes = reader.get<std::array<std::uint64_t, 3>>();
  work.count = reader.get<std::uint32_t>();
  work.stage = reader.get<Stage>();
  bool only = reader.get<bool>();
  auto learner = reader.get<LearnerId>();
  if (only) work.only = learner;
  return work;
}

void put_op(Writer& writer, const Op& op) {
  writer.put(op.word);
  writer.put(op.element);
  writer.put(op.count);
  put_values(writer, op.bytes);
  writer.put(op.root);
  writer.put(op.supports != nullptr);
  if (op.supports) put_list(writer, *op.supports, put_values<Index>);
  writer.put(op.entry_bytes);
  writer.put(op.pulled);
  put_list(writer, op.rounds, put_values<Transfer>);
  writer.put(op.encoded);
  writer.put(op.value_bytes);
  writer.put(op.waits);
  writer.put(op.members.among);
  writer.put(op.members.node_size);
}

template <class T>
std::vector<T> get_values(Reader& reader) {
  return reader.get_all<T>();
}

Op get_op(Reader& reader) {
  Op op;
  op.word = reader.get<Word>();
  op.element = reader.get<Element>();
  op.count = reader.get<std::uint64_t>();
  op.bytes = reader.get_all<Bytes>();
  op.root = reader.get<LearnerId>();
  if (reader.get<bool>()) op.supports = std::make_shared<const Supports>(get_list(reader, get_values<Index>));
  op.entry_bytes = reader.get<Bytes>();
  op.pulled = reader.get<Bytes>();
  op.rounds = get_list(reader, get_values<Transfer>);
  op.encoded = reader.get<Bytes>();
  op.value_bytes = reader.get<Bytes>();
  op.waits = reader.get<bool>();
  op.members.among = reader.get<Among>();
  op.members.node_size = reader.get<std::uint32_t>();
  return op;
}

void put_phase(Writer& writer, const Phase& phase) {
  put_list(writer, phase.work, put_work);
  writer.put(phase.op.has_value());
  if (phase.op) put_op(writer, *phase.op);
}

Phase get_phase(Reader& reader) {
  Phase phase{get_list(reader, get_work), {}};
  if (reader.get<bool>()) phase.op = get_op(reader);
  return phase;
}

void put_exchange(Writer& writer, const BucketExchange& exchange) {
  put_list(writer, exchange.phases, put_phase);
}

BucketExchange get_exchange(Reader& reader) { return {get_list(reader, get_phase)}; }

void put_step(Writer& writer, const StepRecord& step) {
  put_list(writer, step.buckets, put_exchange);
  writer.put(step.regime);
  writer.put(step.passes);
  writer.put(step.batches);
  writer.put(step.after_backward);
  for (auto sum : kSums) writer.put(step.*sum);
  put_values(writer, step.union_by_hop);
  put_values(writer, step.tensor_bytes);
}

StepRecord get_step(Reader& reader) {
  StepRecord step;
  step.buckets = get_list(reader, get_exchange);
  step.regime = reader.get<std::uint32_t>();
  step.passes = reader.get<std::uint32_t>();
  step.batches = reader.get<std::uint32_t>();
  step.after_backward = reader.get<bool>();
  for (auto sum : kSums) step.*sum = reader.get<double>();
  step.union_by_hop = reader.get_all<double>();
  step.tensor_bytes = reader.get_all<Bytes>();
  return step;
}

}  // namespace

std::vector<TensorInfo> RecordedExchange::layers() const {
  std::vector<TensorInfo> all;
  for (const Bucket& bucket : record.buckets)
    all.insert(all.end(), bucket.tensors.begin(), bucket.tensors.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

std::string exchange_key(const Scenario& scenario) {
  Json key;
  for (const char* name : {"compressor", "error_feedback", "buckets", "learners"})
    key[name] = scenario.resolved.at(name);
  return key.dump(-1);
}

void write_exchange(const std::string& path, const RecordedExchange& exchange) {
  Writer writer;
  writer.put_text(exchange.method);
  writer.put_text(exchange.gradients);
  writer.put_text(exchange.model);
  writer.put(exchange.seed);
  put_values(writer, exchange.steps);
  writer.put(exchange.record.learners);
  writer.put(exchange.record.parameters);
  put_list(writer, exchange.record.buckets, put_bucket);
  put_list(writer, exchange.record.steps, put_step);
  std::string body = writer.bytes();
  write_text_file(path, std::string(kFirstLine) + sha256_hex(body) + "\n" + body);
}

RecordedExchange read_exchange(const std::string& path) {
  std::string text = read_text_file(path);
  if (!text.starts_with(kFirstLine)) throw InputError(path + ": is not a recorded exchange of this version");
  std::string_view rest = std::string_view(text).substr(kFirstLine.size());
  if (rest.size() <= kDigest || sha256_hex(rest.substr(kDigest + 1)) != rest.substr(0, kDigest))
    throw InputError(path + ": is damaged: its contents do not have the checksum that it names");
  Reader reader(rest.substr(kDigest + 1));
  RecordedExchange exchange;
  exchange.method = reader.get_text();
  exchange.gradients = reader.get_text();
  exchange.model = reader.get_text();
  exchange.seed = reader.get<std::uint64_t>();
  exchange.steps = reader.get_all<std::uint64_t>();
  exchange.record.learners = reader.get<std::uint32_t>();
  exchange.record.parameters = reader.get<std::uint64_t>();
  exchange.record.buckets = get_list(reader, get_bucket);
  exchange.record.steps = get_list(reader, get_step);
  return exchange;
}

}  // namespace traincast
