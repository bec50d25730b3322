#include "simulator/commands/command_options.hpp"

#include <boost/program_options.hpp>
#include <iostream>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/machine.hpp"

namespace traincast {

namespace options = boost::program_options;

struct CommandOptions::Parser {
  std::string command;
  options::options_description described, hidden;
  options::positional_options_description places;
  options::variables_map given;
  unsigned* threads = nullptr;

  Parser(std::string name, const std::string& title) : command(std::move(name)), described(title) {}
  void add(const char* name, const options::value_semantic* value, const char* help) {
    described.add_options()(name, value, help);
  }
  void add_place(const char* name, int count, const options::value_semantic* value) {
    hidden.add_options()(name, value);
    places.add(name, count);
  }
};

CommandOptions::CommandOptions(std::string command, const std::string& title)
    : parser_(std::make_unique<Parser>(std::move(command), title)) {
  parser_->described.add_options()("help", "this text");
}

CommandOptions::~CommandOptions() = default;

CommandOptions& CommandOptions::flag(const char* name, bool& into, const char* help) {
  parser_->add(name, options::bool_switch(&into), help);
  return *this;
}

CommandOptions& CommandOptions::value(const char* name, std::string& into, const char* form,
                                      const char* help) {
  parser_->add(name, options::value(&into)->value_name(form), help);
  return *this;
}

CommandOptions& CommandOptions::value(const char* name, int& into, const char* form, const char* help) {
  parser_->add(name, options::value(&into)->value_name(form), help);
  return *this;
}

CommandOptions& CommandOptions::value(const char* name, std::vector<std::string>& into, const char* form,
                                      const char* help) {
  parser_->add(name, options::value(&into)->value_name(form)->composing(), help);
  return *this;
}

CommandOptions& CommandOptions::threads(unsigned& into) {
  parser_->threads = &into;
  parser_->add("threads", options::value<int>()->value_name("N"),
               "worker threads; the numbers do not depend on them (all cores)");
  return *this;
}

CommandOptions& CommandOptions::argument(const char* name, std::string& into) {
  parser_->add_place(name, 1, options::value(&into));
  return *this;
}

CommandOptions& CommandOptions::argument(const char* name, std::vector<std::string>& into) {
  parser_->add_place(name, -1, options::value(&into));
  return *this;
}

bool CommandOptions::read(const std::vector<std::string>& arguments, const std::string& more) {
  Parser& parser = *parser_;
  options::options_description all;
  all.add(parser.described).add(parser.hidden);
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(parser.places).run(),
                   parser.given);
    options::notify(parser.given);
  } catch (const options::error& error) {
    throw InputError(parser.command + ": " + error.what());
  }
  if (has("help")) {
    std::cout << parser.described << more;
    return false;
  }
  if (!parser.threads) return true;
  if (!has("threads")) {
    *parser.threads = processor_count();
    return true;
  }
  int threads = parser.given["threads"].as<int>();
  if (threads < 1 || threads > 1024)
    throw InputError(parser.command + ": --threads must lie in [1, 1024], got " + std::to_string(threads));
  *parser.threads = static_cast<unsigned>(threads);
  return true;
}

bool CommandOptions::has(const char* name) const { return parser_->given.count(name) > 0; }

void print_or_write(const std::string& file, const std::string& text) {
  if (file.empty())
    std::cout << text;
  else
    write_text_file(file, text);
}

}  // namespace traincast
