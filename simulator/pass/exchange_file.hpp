// Recorded exchanges: what one method sent for one number of learners, in a file. Sizes, supports and
// statistics only, no gradient; a run over it needs no trace and no compressor.
//
// The file: the line "traincast exchange 4", the SHA-256 of the rest in hexadecimal and a line feed, then the
// record: integers and doubles little-endian as base/serial.hpp writes them, in the order of the structs.
#pragma once

#include <string>
#include <vector>

#include "simulator/pass/compression_pass.hpp"

namespace traincast {

struct RecordedExchange {
  std::string method;     ///< as exchange_key has it
  std::string gradients;  ///< the scenario's source and workload, as JSON
  std::string model;
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> steps;  ///< their numbers, from the first step of training
  ExchangeRecord record;

  /// In order of the model's definition.
  std::vector<TensorInfo> layers() const;
};

/// What an exchange depends on besides gradients and steps: compressor, error feedback, buckets and learners,
/// as JSON.
std::string exchange_key(const Scenario& scenario);

/// Written aside, then renamed.
void write_exchange(const std::string& path, const RecordedExchange& exchange);
/// Throws InputError, with the path, where this is no such file, or not all of it, or altered.
RecordedExchange read_exchange(const std::string& path);

}  // namespace traincast
