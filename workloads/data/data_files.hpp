// What all data in files have: they need room in memory, and what they held is known by a digest.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/sha256.hpp"
#include "base/units.hpp"

namespace traincast {

/// Throws InputError where what is about to be read would take more bytes than there are.
inline void refuse_without_room(const std::string& path, double bytes) {
  if (const double available = available_memory(); bytes > available)
    throw InputError(path + ": takes " + format_bytes(bytes) + " of memory once it is read, and " +
                     format_bytes(available) + " are available; take a part of the data");
}

/// Other contents under the same names are other data: SHA-256 over names, lengths and contents, in the order
/// in which they are added.
class FilesDigest {
 public:
  void add(const std::string& name, std::string_view contents) {
    const std::string head = name + "\n" + std::to_string(contents.size()) + "\n";
    hash_.update(head.data(), head.size());
    hash_.update(contents.data(), contents.size());
  }
  std::string hex() { return hash_.hex(); }  ///< ends the computation

 private:
  Sha256 hash_;
};

}  // namespace traincast
