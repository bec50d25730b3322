// The command line of traincast-capture.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "workloads/capture/capture.hpp"

namespace traincast {

struct CommandLine {
  CaptureRequest request;
  std::string calibrate;  ///< file of a description to measure instead of capturing; empty: capture
  std::string time;       ///< file for what a learner's pass takes instead; empty: capture
  bool serve = false;     ///< answer a program that asks for gradients, instead of capturing
  bool quiet = false;
};

/// Nothing where --help was asked for. Throws InputError.
std::optional<CommandLine> parse_command_line(std::span<const char* const> arguments);

std::string capture_help();

}  // namespace traincast
