// Samples of a text for whatever reads numbers: next tokens, masked tokens, a continuation, or the class of
// the document.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/data/dataset.hpp"

namespace traincast {

enum class TextUnit { characters, words };

/// A text in documents, each a class.
struct Document {
  std::string name, text;
};

/// Gives the units of a text in their order, each to look at. Words are runs of letters, digits and
/// apostrophes in lower case, and every other visible character; blanks divide. Characters are bytes.
void cut_text(std::string_view text, TextUnit unit, const std::function<void(std::string_view)>& take);

/// Samples begin every `stride` tokens within a document. Of three documents or more the last is kept for
/// testing, unless a sample's document is what is asked for; else the last tenth of each is. The vocabulary
/// is the most frequent units of the training text, ties in the order of their bytes, behind reserved
/// numbers.
std::unique_ptr<Dataset> make_text_dataset(std::vector<Document> documents, TextUnit unit,
                                           std::uint64_t stride, const Model& model, std::uint64_t seed,
                                           Json description);

/// The parameters of texts, and their values.
inline constexpr Parameter kTextUnit{
    "unit", Unit::word, "auto|characters|words", "auto",
    "what a number stands for; auto: characters where the vocabulary is at most 256"};
inline constexpr Parameter kTextStride{"stride", Unit::count, "[1, 1000000]", "16",
                                       "units from the beginning of a sample to that of the next"};
TextUnit text_unit(const Parameters& p, const Model& model);

}  // namespace traincast
