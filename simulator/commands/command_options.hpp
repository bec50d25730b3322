// How commands read their options: a table of what they take, each with the place where it goes.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace traincast {

class CommandOptions {
 public:
  /// "run", and the first line of its help. --help is known.
  CommandOptions(std::string command, const std::string& title);
  ~CommandOptions();
  CommandOptions(const CommandOptions&) = delete;
  CommandOptions& operator=(const CommandOptions&) = delete;

  CommandOptions& flag(const char* name, bool& into, const char* help);
  /// One that takes a value, shown as `form`; given once, or, for a list, as often as one likes.
  CommandOptions& value(const char* name, std::string& into, const char* form, const char* help);
  CommandOptions& value(const char* name, int& into, const char* form, const char* help);
  CommandOptions& value(const char* name, std::vector<std::string>& into, const char* form, const char* help);
  /// --threads: in [1, 1024], and all cores without it.
  CommandOptions& threads(unsigned& into);
  /// An argument that is known by its place; a list takes all that are left.
  CommandOptions& argument(const char* name, std::string& into);
  CommandOptions& argument(const char* name, std::vector<std::string>& into);

  /// False where help was asked for, which is then printed, with `more` behind it. Throws InputError for what
  /// no option takes.
  bool read(const std::vector<std::string>& arguments, const std::string& more = "");
  /// Whether it was given, be it as an empty text.
  bool has(const char* name) const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// Into this file, or onto the terminal where none is named.
void print_or_write(const std::string& file, const std::string& text);

}  // namespace traincast
