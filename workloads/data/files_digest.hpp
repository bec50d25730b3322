// What files held when they were read: other contents under the same names are other data.
#pragma once

#include <string>
#include <string_view>

#include "base/sha256.hpp"

namespace traincast {

/// SHA-256 over names, lengths and contents, in the order in which they are added.
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
