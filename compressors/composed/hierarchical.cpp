// Compressed between nodes and dense within: learners of a node sum their gradients by reduce-scatter, each
// averages its part with those of the same place in other nodes by another method, and the node gathers the
// parts. Shi et al. 2021 (MLSys, arXiv 2010.10458), HiTopKComm, for any method.
#include <algorithm>
#include <optional>

#include "compressors/composed/named_method.hpp"
#include "compressors/error_feedback.hpp"
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

/// What the learner in one place of a node keeps of a tensor: whole rows of a matrix where there are enough
/// of them, else a run of elements; all of one size, the last filled with zeros, as NCCL's reduce-scatter
/// wants.
struct Part {
  TensorInfo tensor;
  std::uint64_t numel = 0;

  Part(const TensorInfo& whole, std::uint32_t places) : tensor(whole) {
    const bool rows = whole.shape.size() > 1 && whole.shape[0] >= static_cast<std::int64_t>(places);
    const auto n = rows ? static_cast<std::uint64_t>(whole.shape[0]) : whole.numel();
    const auto each = static_cast<std::int64_t>((n + places - 1) / places);
    if (rows)
      tensor.shape[0] = each;
    else
      tensor.shape = {each};
    numel = tensor.numel();
  }
};

/// A node's part, for the method between nodes: nodes are its learners.
class NodeParts final : public GradientSource {
 public:
  NodeParts(const std::vector<std::vector<float>>& nodes, std::uint64_t begin)
      : nodes_(nodes), begin_(begin) {}
  void read(LearnerId node, std::span<float> into) const override {
    std::copy_n(nodes_[node].begin() + static_cast<std::ptrdiff_t>(begin_), into.size(), into.begin());
  }

 private:
  const std::vector<std::vector<float>>& nodes_;
  std::uint64_t begin_;
};

class Hierarchical final : public Compressor {
 public:
  Hierarchical(std::uint32_t node_size, NamedMethod between, std::optional<ErrorRule::Error> error,
               std::uint64_t seed)
      : node_size_(node_size),
        between_(std::move(between)),
        error_(error),
        seed_(seed),
        like_(between_.make(seed)) {}

  Coupling coupling() const override { return Coupling::tensor; }
  /// Memories stand between nodes: of each node one, kept in parts by its learners.
  ErrorRule error_rule() const override { return {}; }
  bool remembers() const override {
    return overruled(like_->error_rule()).error != ErrorRule::Error::none || like_->remembers();
  }
  bool forbids_memory() const override { return true; }
  bool averages_contributions() const override { return false; }
  bool sizes_depend_on_values() const override { return like_->sizes_depend_on_values(); }
  std::uint32_t regime(const Step& step) const override { return like_->regime(step); }
  bool scales() const override { return like_->scales(); }
  bool unbiased() const override { return like_->unbiased(); }
  std::uint32_t node_size() const override { return node_size_; }
  void refuse_learners(std::uint32_t learners) const override {
    Compressor::refuse_learners(learners);
    like_->refuse_learners(learners / node_size_);
  }
  /// Its node's.
  std::span<const float> memory(LearnerId learner) const override {
    const std::size_t node = learner / node_size_;
    if (node >= memories_.size()) return {};
    return std::span(memories_[node]).first(numel_);
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    numel_ = average.size();
    const std::uint32_t nodes = group.size() / node_size_;
    const Part part(unit.tensors.front(), node_size_);
    prepare(nodes, unit.id, part);
    const std::vector<std::vector<float>> means = node_means(part, source, group, contributions);

    std::vector<Group> places;
    std::vector<float> sum(part.numel * node_size_);
    for (std::uint32_t place = 0; place < node_size_; ++place) {
      const std::uint64_t begin = place * part.numel;
      Step between = step;
      between.learners = step.learners.first(nodes);
      between.gradient_norms = {};
      places.push_back(group.inner(nodes));
      between_nodes_[place].aggregate(between, {unit.id, {part.tensor}}, NodeParts(means, begin),
                                      places.back(), std::span(sum).subspan(begin, part.numel));
      keep_memories(place, part.numel);
    }
    if (places.front().phases().size() > kLast - 1)
      throw std::logic_error("a method between nodes with more phases than there is room for");
    group.across(1, places);

    group.phase(kLast);
    Op gather;
    gather.word = Word::all_gather;
    gather.bytes.assign(group.size(), sizeof(float) * part.numel);
    gather.value_bytes = nodes * sizeof(float) * numel_;
    gather.members = {Among::within, node_size_};
    group.record(std::move(gather));
    std::copy_n(sum.begin(), numel_, average.begin());
  }

  void save(Writer& writer) const override {
    Writer state;
    for (const ErrorFeedback& place : between_nodes_) place.save(state);
    writer.put_text(between_nodes_.empty() ? saved_ : state.bytes());
  }
  /// Taken up with the next step, which tells how many nodes there are and how large the parts.
  void load(Reader& reader) override {
    between_nodes_.clear();
    memories_.clear();
    saved_ = reader.get_text();
  }

 private:
  /// Within nodes, the phases of the method between them, within nodes: the same number for every tensor, so
  /// that their collectives join; the longest is gTop-k's, with a phase for each of 16 rounds.
  static constexpr unsigned kLast = 24;

  /// One method for each place; their random numbers have nothing in common.
  void prepare(std::uint32_t nodes, std::uint32_t unit, const Part& part) {
    if (!between_nodes_.empty()) return;
    const ErrorRule rule = overruled(like_->error_rule_for({unit, {part.tensor}}));
    memories_.assign(remembers() ? nodes : 0, std::vector<float>(part.numel * node_size_, 0.0f));
    for (std::uint32_t place = 0; place < node_size_; ++place)
      between_nodes_.emplace_back(between_.make(seed_ * kStride + place), rule, nodes, part.numel);
    if (saved_.empty()) return;
    Reader state(saved_);
    for (std::uint32_t place = 0; place < node_size_; ++place) {
      between_nodes_[place].load(state);
      keep_memories(place, part.numel);
    }
    if (!state.at_end()) throw InputError("saved state of a hierarchical method is of other nodes");
    saved_.clear();
  }

  /// Reduce-scatter within every node; a part is averaged over the node.
  std::vector<std::vector<float>> node_means(const Part& part, const GradientSource& source, Group& group,
                                             Contributions& contributions) const {
    std::vector<std::vector<float>> means(group.size() / node_size_,
                                          std::vector<float>(part.numel * node_size_, 0.0f));
    std::vector<float> vector(numel_);
    for (LearnerId learner = 0; learner < group.size(); ++learner) {
      source.read(learner, vector);
      std::vector<float>& mean = means[learner / node_size_];
      for (std::uint64_t i = 0; i < numel_; ++i) mean[i] += vector[i];
      contributions.kept_all(learner);
    }
    for (auto& mean : means) take_mean(mean, node_size_);
    group.phase(0);
    Op reduce;
    reduce.word = Word::reduce_scatter;
    reduce.count = part.numel * node_size_;
    reduce.value_bytes = group.size() * sizeof(float) * numel_;
    reduce.members = {Among::within, node_size_};
    group.record(std::move(reduce));
    return means;
  }

  ErrorRule overruled(ErrorRule rule) const {
    if (error_) rule.error = *error_;
    return rule;
  }

  void keep_memories(std::uint32_t place, std::uint64_t size) {
    for (std::uint32_t node = 0; node < memories_.size(); ++node) {
      auto memory = between_nodes_[place].memory(node);
      if (!memory.empty())
        std::copy_n(memory.begin(), size,
                    memories_[node].begin() + static_cast<std::ptrdiff_t>(place * size));
    }
  }

  static constexpr std::uint64_t kStride = 0x9e3779b97f4a7c15;

  std::uint32_t node_size_;
  NamedMethod between_;
  std::optional<ErrorRule::Error> error_;
  std::uint64_t seed_;
  std::unique_ptr<Compressor> like_;  // to be asked what the method is like
  std::uint64_t numel_ = 0;
  std::vector<ErrorFeedback> between_nodes_;  // by place
  std::vector<std::vector<float>> memories_;  // by node, for reports
  std::string saved_;                         // until the next step
};

constexpr Parameter kParameters[] = {
    {"node_size", Unit::count, "[2, 65536]", kRequired,
     "learners of a node; learners are numbered node by node, and fill them"},
    {"between", Unit::choice, "", kRequired, "the method between nodes"},
    {"error", Unit::word, "auto|none|local|global", "auto",
     "the error memory between nodes; auto: as that method's paper"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  NamedMethod between = read_method(parameters.choice("between"));
  auto like = between.make(seed);
  const std::string name = "'" + std::string(between.entry->name) + "' cannot run between nodes: ";
  if (like->coupling() != Coupling::tensor)
    throw InputError(name + "it sees more than the part of a tensor that a learner holds there");
  if (like->needs_gradient_norms())
    throw InputError(name + "it needs the norm of a learner's whole gradient, of which a node knows none");
  if (like->node_size() > 1) throw InputError(name + "it has nodes of its own");
  std::optional<ErrorRule::Error> error;
  const std::string& word = parameters.word("error");
  if (word == "none") error = ErrorRule::Error::none;
  if (word == "local") error = ErrorRule::Error::local;
  if (word == "global") error = ErrorRule::Error::global;
  if (error.value_or(ErrorRule::Error::none) != ErrorRule::Error::none && like->forbids_memory())
    throw InputError("'" + std::string(between.entry->name) +
                     "' can have no further memory around it; allowed: auto, none");
  return std::make_unique<Hierarchical>(static_cast<std::uint32_t>(parameters.count("node_size")),
                                        std::move(between), error, seed);
}

}  // namespace

const Entry<MakeCompressor> kHierarchicalMethod{
    "hierarchical", "dense within nodes, any other method between them on a part for each learner of a node",
    "Shi et al. 2021 (MLSys, arXiv 2010.10458), HiTopKComm, with any method between nodes", kParameters,
    make};

}  // namespace traincast
