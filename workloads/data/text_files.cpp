// Texts that lie on this machine: any file or folder, and the licences that Debian puts on every machine.
#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "workloads/data/data_files.hpp"
#include "workloads/data/text.hpp"

namespace traincast {

namespace {

namespace fs = std::filesystem;

/// The file, or a folder's files by name; links are left out.
std::vector<Document> read_documents(const std::string& path) {
  std::error_code error;
  const auto read = [](const std::string& file) {
    // A copy on the way, and four bytes for each character's number.
    std::error_code unknown;
    if (const auto size = fs::file_size(file, unknown); !unknown)
      refuse_without_room(file, 6 * static_cast<double>(size));
    return read_text_file(file);
  };
  if (!fs::is_directory(path, error)) return {{fs::path(path).filename().string(), read(path)}};
  std::vector<Document> documents;
  for (const auto& entry : fs::directory_iterator(path, error))
    if (entry.is_regular_file(error) && !entry.is_symlink(error))
      documents.push_back({entry.path().filename().string(), ""});
  std::ranges::sort(documents, {}, &Document::name);
  for (Document& document : documents) document.text = read((fs::path(path) / document.name).string());
  if (documents.empty()) throw InputError(path + ": there are no files in this folder");
  return documents;
}

std::string digest(const std::vector<Document>& documents) {
  FilesDigest digest;
  for (const Document& document : documents) digest.add(document.name, document.text);
  return digest.hex();
}

std::unique_ptr<Dataset> text(const Parameters& p, const Model& model, std::uint64_t seed) {
  std::vector<Document> documents = read_documents(p.path("path"));
  Json json;
  json["name"] = "text";
  json["made"] = false;
  json["path"] = p.path("path");
  json["documents"] = documents.size();
  json["sha256"] = digest(documents);
  return make_text_dataset(std::move(documents), text_unit(p, model),
                           static_cast<std::uint64_t>(p.count("stride")), model, seed, std::move(json));
}

// Of Debian 12's base-files.
constexpr std::string_view kLicences = "9677166fd57e39f89a53f6104e9d3acd440c6fa6b298be4a3c80b5b564dd21ba";

std::unique_ptr<Dataset> licences(const Parameters& p, const Model& model, std::uint64_t seed) {
  std::vector<Document> documents = read_documents(p.path("path"));
  std::string found = digest(documents);
  if (found != kLicences)
    throw InputError(p.path("path") + ": these are not the licence texts of Debian 12: their digest is " +
                     found + ", and must be " + std::string(kLicences) +
                     "; as any text they go by {\"name\": \"text\", \"path\": …}");
  Json json;
  json["name"] = "licences";
  json["made"] = false;
  json["documents"] = documents.size();
  json["sha256"] = found;
  return make_text_dataset(std::move(documents), text_unit(p, model),
                           static_cast<std::uint64_t>(p.count("stride")), model, seed, std::move(json));
}

constexpr Parameter kText[] = {
    {"path", Unit::path, "", kRequired, "a file, or a folder whose files are documents"},
    kTextUnit,
    kTextStride};
constexpr Parameter kLicenceTable[] = {
    {"path", Unit::path, "", "/usr/share/common-licenses", "where Debian has them"}, kTextUnit, kTextStride};

}  // namespace

const Entry<MakeDataset> kTextData{"text", "any text, by characters or words", "", kText, text};
const Entry<MakeDataset> kLicencesData{"licences",
                                       "the 14 licence texts of a Debian 12 machine, digest pinned",
                                       "Debian, base-files", kLicenceTable, licences};

}  // namespace traincast
