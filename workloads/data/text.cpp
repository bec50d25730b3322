#include "workloads/data/text.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "base/error.hpp"
#include "base/random.hpp"

namespace traincast {

namespace {

enum class TextTask { next, masked, continuation, document };

TextTask task_of(const Model& model) {
  std::int64_t length = model.input.shape[0];
  bool numbers = model.input.ranges.size() == 1 && model.input.shape.size() == 1;
  const Loss& first = model.losses.front();
  if (numbers && model.losses.size() == 2 && first.rows == length && model.losses[1].rows == 1)
    return TextTask::masked;
  if (numbers && model.losses.size() == 1) {
    if (first.rows == length) return TextTask::next;
    if (2 * first.rows == length) return TextTask::continuation;
    if (first.rows == 1) return TextTask::document;
  }
  throw InputError("the data are text, and the model does not take a sequence of tokens");
}

// What numbers stand for before the units of the vocabulary begin.
constexpr std::int32_t kUnknown = 0;
constexpr std::int64_t kStart = 1, kDivider = 2, kMask = 3;
std::int64_t reserved(TextTask task) {
  return task == TextTask::masked ? 4 : task == TextTask::continuation ? 2 : 1;
}

/// Units by their bytes, and their numbers.
using Units = std::map<std::string, std::int32_t, std::less<>>;

class TextDataset final : public Dataset {
 public:
  TextDataset(std::vector<Document> documents, TextUnit unit, std::uint64_t stride, const Model& model,
              std::uint64_t seed, Json description)
      : task_(task_of(model)),
        range_(model.input.ranges[0]),
        seed_(seed),
        stride_(stride),
        unit_(unit),
        description_(std::move(description)) {
    length_ = static_cast<std::uint64_t>(model.input.shape[0]);
    // Tokens that a sample covers: the labels of the last are one further on.
    covered_ = task_ == TextTask::next ? length_ + 1 : task_ == TextTask::masked ? length_ - 2 : length_;
    if (task_ == TextTask::document &&
        static_cast<std::int64_t>(documents.size()) != model.losses.front().classes)
      throw InputError("the text has " + std::to_string(documents.size()) +
                       " documents, which are its classes; the model has " +
                       std::to_string(model.losses.front().classes) + ": set classes");
    Units units;
    for (Document& document : documents) {
      documents_.push_back(numbered(document.text, units));
      document.text = std::string();
    }
    bool last_apart = documents_.size() >= 3 && task_ != TextTask::document;
    for (std::size_t i = 0; i < documents_.size(); ++i) {
      const std::span<const std::int32_t> all(documents_[i]);
      std::size_t tests = !last_apart ? all.size() / 10 : i + 1 == documents_.size() ? all.size() : 0;
      train_.add(all.first(all.size() - tests), covered_, stride);
      test_.add(all.last(tests), covered_, stride);
    }
    number_by_frequency(units);
    if (train_.samples() > 0) return;
    const Json* path = description_.find("path");
    throw InputError((path ? path->text() + ": " : "") + "the text has no room for a sample of " +
                     std::to_string(covered_) + " tokens");
  }

  std::uint64_t size(Split split) const override { return part(split).samples(); }
  std::int64_t classes() const override { return static_cast<std::int64_t>(train_.documents.size()); }
  std::int64_t class_of(std::uint64_t index) const override {
    return static_cast<std::int64_t>(train_.document_of(index));
  }

  void append(Split split, std::uint64_t index, Batch& into) const override {
    const Part& from = part(split);
    std::size_t document = from.document_of(index);
    const std::int32_t* tokens = from.documents[document].data() + (index - from.first[document]) * stride_;
    ++into.samples;
    auto add = [](std::vector<std::int64_t>& to, const std::int32_t* begin, std::uint64_t count) {
      to.insert(to.end(), begin, begin + count);
    };
    switch (task_) {
      case TextTask::next: add(into.numbers, tokens, length_); return add(into.labels, tokens + 1, length_);
      case TextTask::document:
        add(into.numbers, tokens, length_);
        return into.labels.push_back(static_cast<std::int64_t>(document));
      case TextTask::continuation: {
        std::uint64_t half = length_ / 2;
        add(into.numbers, tokens, half);
        into.numbers.push_back(kStart);
        add(into.numbers, tokens + half, half - 1);
        return add(into.labels, tokens + half, half);
      }
      case TextTask::masked: return append_masked(split, index, tokens, into);
    }
  }

  Json describe() const override {
    Json json = description_;
    json["unit"] = unit_ == TextUnit::words ? "words" : "characters";
    json["vocabulary"] = vocabulary_;
    json["training_samples"] = train_.samples();
    json["test_samples"] = test_.samples();
    return json;
  }

 private:
  /// One split: of every document what belongs to it.
  struct Part {
    std::vector<std::span<const std::int32_t>> documents;
    std::vector<std::uint64_t> first{0};  ///< sample of each document, and the end

    void add(std::span<const std::int32_t> document, std::uint64_t covered, std::uint64_t stride) {
      std::uint64_t n = document.size();
      first.push_back(first.back() + (n < covered ? 0 : (n - covered) / stride + 1));
      documents.push_back(document);
    }
    std::uint64_t samples() const { return first.back(); }
    std::size_t document_of(std::uint64_t index) const {
      return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), index) - first.begin()) -
             1;
    }
  };
  const Part& part(Split split) const { return split == Split::train ? train_ : test_; }

  /// As they first appear.
  std::vector<std::int32_t> numbered(std::string_view text, Units& units) const {
    std::vector<std::int32_t> numbers;
    if (unit_ == TextUnit::characters) numbers.reserve(text.size());
    cut_text(text, unit_, [&](std::string_view unit) {
      auto found = units.find(unit);
      if (found == units.end()) found = units.emplace(unit, static_cast<std::int32_t>(units.size())).first;
      numbers.push_back(found->second);
    });
    return numbers;
  }

  // In place of the numbers of their first appearance.
  void number_by_frequency(const Units& units) {
    std::vector<std::uint64_t> counts(units.size(), 0);
    for (std::span<const std::int32_t> document : train_.documents)
      for (std::int32_t unit : document) ++counts[static_cast<std::size_t>(unit)];
    std::vector<std::size_t> order;  // of the bytes of those that training has
    for (const auto& [unit, number] : units)
      if (const auto at = static_cast<std::size_t>(number); counts[at] > 0) order.push_back(at);
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t at) { return counts[at]; });
    const std::int64_t first = reserved(task_);
    order.resize(std::min(order.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, range_ - first))));
    vocabulary_ = order.size();
    std::vector<std::int32_t> numbers(units.size(), kUnknown);
    for (std::size_t i = 0; i < order.size(); ++i)
      numbers[order[i]] = static_cast<std::int32_t>(first + static_cast<std::int64_t>(i));
    for (std::vector<std::int32_t>& document : documents_)
      for (std::int32_t& unit : document) unit = numbers[static_cast<std::size_t>(unit)];
  }

  // Devlin et al. 2019, section 3.1: [start] half [divider] half; the second half follows the first in every
  // second sample, else it comes from anywhere; of 15 % of the tokens the model tells what they are, of which
  // 8 in 10 are masked and 1 in 10 is another. The label of the pair comes last.
  void append_masked(Split split, std::uint64_t index, const std::int32_t* tokens, Batch& into) const {
    RandomStream random(
        {.seed = seed_, .purpose = Purpose::data, .step = index, .tensor = split == Split::train ? 0u : 1u});
    const Part& from = part(split);
    std::uint64_t half = length_ / 2;
    bool follows = random.below(2) == 0;
    const std::int32_t* second = tokens + half - 1;
    if (!follows) {
      std::uint64_t other = random.below(from.samples());
      std::size_t document = from.document_of(other);
      second = from.documents[document].data() + (other - from.first[document]) * stride_;
    }
    auto add = [&](std::int64_t token) {
      bool asked = random.uniform() < 0.15;
      double way = random.uniform();
      into.labels.push_back(asked ? token : kNoLabel);
      if (asked && way < 0.8)
        token = kMask;
      else if (asked && way < 0.9)
        token = reserved(task_) + static_cast<std::int64_t>(random.below(vocabulary_));
      into.numbers.push_back(token);
    };
    auto mark = [&](std::int64_t token) {
      into.numbers.push_back(token);
      into.labels.push_back(kNoLabel);
    };
    std::size_t first_label = into.labels.size();
    mark(kStart);
    for (std::uint64_t i = 0; i + 1 < half; ++i) add(tokens[i]);
    mark(kDivider);
    for (std::uint64_t i = 0; i + half + 1 < length_; ++i) add(second[i]);
    // A sample asks for one token at least: the mean over none is not a number.
    auto asked = into.labels.begin() + static_cast<std::ptrdiff_t>(first_label);
    if (std::all_of(asked, into.labels.end(), [](std::int64_t label) { return label == kNoLabel; })) {
      into.labels[first_label + 1] = tokens[0];
      into.numbers[into.numbers.size() - length_ + 1] = kMask;
    }
    into.labels.push_back(follows ? 1 : 0);
  }

  TextTask task_;
  std::int64_t range_;
  std::uint64_t seed_, stride_, length_ = 0, covered_ = 0;
  TextUnit unit_;
  Json description_;
  std::vector<std::vector<std::int32_t>> documents_;
  Part train_, test_;  ///< of these
  std::uint64_t vocabulary_ = 0;
};

}  // namespace

void cut_text(std::string_view text, TextUnit unit, const std::function<void(std::string_view)>& take) {
  if (unit == TextUnit::characters) {
    for (std::size_t i = 0; i < text.size(); ++i) take(text.substr(i, 1));
    return;
  }
  std::string word;
  auto end_word = [&] {
    if (!word.empty()) take(word);
    word.clear();
  };
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool capital = c >= 'A' && c <= 'Z';
    bool letter = capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || byte >= 0x80;
    char small = capital ? static_cast<char>(c - 'A' + 'a') : c;
    if (!letter) end_word();
    if (letter)
      word.push_back(small);
    else if (byte > ' ' && byte != 0x7f)
      take({&small, 1});
  }
  end_word();
}

TextUnit text_unit(const Parameters& p, const Model& model) {
  if (p.word("unit") == "auto")
    return !model.input.ranges.empty() && model.input.ranges[0] > 256 ? TextUnit::words
                                                                      : TextUnit::characters;
  return p.word("unit") == "words" ? TextUnit::words : TextUnit::characters;
}

std::unique_ptr<Dataset> make_text_dataset(std::vector<Document> documents, TextUnit unit,
                                           std::uint64_t stride, const Model& model, std::uint64_t seed,
                                           Json description) {
  return std::make_unique<TextDataset>(std::move(documents), unit, stride, model, seed,
                                       std::move(description));
}

}  // namespace traincast
