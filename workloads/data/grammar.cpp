// Text from a grammar, where no text is at hand.
//
// clang-format off
//   text     → sentence text
//   sentence → subject verb object "."
//   subject  → noun | noun clause
//   clause   → "who" verb object ","
//   object   → noun | adjective noun
// clang-format on
//
// Verbs agree with their subject in number: a plural noun ends in "n", its verb in "t". A clause's verb
// agrees with the noun before it, so that the main verb agrees with its own over a distance.
//
// Each topic (a document, a class) has 24 nouns, 16 verbs and 8 adjectives of its own, stems of two or three
// syllables; a word of rank r is drawn in proportion to 1/r.
#include <array>

#include "base/random.hpp"
#include "workloads/data/text.hpp"

namespace traincast {

namespace {

class Topic {
 public:
  explicit Topic(const StreamKey& key) : random_(key) {
    for (auto& noun : nouns_) noun = stem();
    for (auto& verb : verbs_) verb = stem();
    for (auto& adjective : adjectives_) adjective = stem();
  }

  std::string text(std::uint64_t words) {
    for (words_ = 0; words_ < words;) sentence();
    return std::move(text_);
  }

 private:
  std::string stem() {
    static constexpr std::string_view kFirst = "bdfgklmprstv", kSecond = "aeiou";
    std::string word;
    for (std::uint64_t syllables = 2 + random_.below(2); syllables > 0; --syllables) {
      word += kFirst[random_.below(kFirst.size())];
      word += kSecond[random_.below(kSecond.size())];
    }
    return word;
  }
  template <std::size_t N>
  const std::string& draw(const std::array<std::string, N>& words) {
    double total = 0;
    for (std::size_t r = 1; r <= N; ++r) total += 1.0 / static_cast<double>(r);
    double at = random_.uniform() * total;
    std::size_t rank = 1;
    while (rank < N && (at -= 1.0 / static_cast<double>(rank)) >= 0) ++rank;
    return words[rank - 1];
  }
  void say(const std::string& word) {
    if (!text_.empty()) text_ += ' ';
    text_ += word;
    ++words_;
  }
  bool noun() {
    bool plural = random_.below(2) == 0;
    say(draw(nouns_) + (plural ? "n" : ""));
    return plural;
  }
  void verb(bool plural) { say(draw(verbs_) + (plural ? "t" : "")); }
  void object() {
    if (random_.below(3) == 0) say(draw(adjectives_));
    noun();
  }
  void sentence() {
    bool plural = noun();
    if (random_.below(3) == 0) {
      say("who");
      verb(plural);
      object();
      text_ += " ,";
    }
    verb(plural);
    object();
    text_ += " .\n";
  }

  RandomStream random_;
  std::array<std::string, 24> nouns_;
  std::array<std::string, 16> verbs_;
  std::array<std::string, 8> adjectives_;
  std::string text_;
  std::uint64_t words_ = 0;
};

std::unique_ptr<Dataset> grammar(const Parameters& p, const Model& model, std::uint64_t seed) {
  std::vector<Document> documents;
  for (std::uint32_t topic = 0; topic < static_cast<std::uint32_t>(p.count("topics")); ++topic)
    documents.push_back(
        {"topic" + std::to_string(topic), Topic({.seed = seed, .purpose = Purpose::data, .tensor = topic})
                                              .text(static_cast<std::uint64_t>(p.count("words")))});
  Json json;
  json["name"] = "text from a grammar";
  json["made"] = true;
  json["topics"] = p.count("topics");
  json["words"] = p.count("words");
  return make_text_dataset(std::move(documents), text_unit(p, model),
                           static_cast<std::uint64_t>(p.count("stride")), model, seed, std::move(json));
}

constexpr Parameter kTable[] = {
    {"topics", Unit::count, "[1, 1000]", "2", "documents, each with words of its own: classes of the data"},
    {"words", Unit::count, "[100, 10000000]", "40000", "of each topic"},
    kTextUnit,
    kTextStride};

}  // namespace

const Entry<MakeDataset> kGrammarData{"grammar",
                                      "made text: sentences of a grammar whose verbs agree with nouns",
                                      "of our own", kTable, grammar};

}  // namespace traincast
