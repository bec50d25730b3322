// Words in messages: lists of what is known, and the known name nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace traincast {

/// "a, b, c"
std::string join(std::span<const std::string> words, std::string_view separator = ", ");

/// The name within two edits (insert, delete, replace, swap of neighbours) of `word`, or "" where none is
/// that near.
std::string nearest(std::string_view word, std::span<const std::string> known);

/// "; did you mean 'topk'?" or nothing, then "; known: none, topk". The tail of every "unknown …" message.
std::string known_names(std::string_view word, std::span<const std::string> known);

}  // namespace traincast
