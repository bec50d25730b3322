#include "workloads/trace/file_pass.hpp"

#include <algorithm>

#include "base/sha256.hpp"

namespace traincast {

std::vector<std::string> pass_over_files(std::span<const InputFile> files, const Look& look) {
  // Eight pieces fit a core's own cache.
  constexpr std::size_t kPiece = 1 << 16;
  std::vector<char> buffer(kPiece * files.size());
  std::vector<Sha256> hashes(files.size());
  std::uint64_t longest = 0;
  for (const InputFile& file : files) longest = std::max(longest, file.size());
  std::vector<Sha256*> whole;
  std::vector<const void*> data;
  for (std::uint64_t at = 0; at < longest; at += kPiece) {
    whole.clear();
    data.clear();
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (at >= files[i].size()) continue;
      auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, files[i].size() - at));
      char* piece = buffer.data() + i * kPiece;
      files[i].read_at(at, piece, size);
      if (look) look(i, at, {piece, size});
      if (size < kPiece) {
        hashes[i].update(piece, size);
      } else {
        whole.push_back(&hashes[i]);
        data.push_back(piece);
      }
    }
    Sha256::update_together(whole, data, kPiece);
  }
  std::vector<std::string> all;
  for (Sha256& hash : hashes) all.push_back(hash.hex());
  return all;
}

}  // namespace traincast
