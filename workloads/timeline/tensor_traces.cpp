// Tables of backward passes as others published them.
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/error.hpp"
#include "base/names.hpp"
#include "workloads/timeline/recorded_timeline.hpp"

namespace traincast {

namespace {

constexpr double kMicrosecond = 1e-6;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (char c : line) {
    if (c == '\t')
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

class Line {
 public:
  Line(std::string file, std::size_t number, std::vector<std::string> cells)
      : file_(std::move(file)), number_(number), cells_(std::move(cells)) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw InputError(file_ + ":" + std::to_string(number_) + ": " + why);
  }
  const std::string& text(std::size_t column) const { return cells_[column]; }
  template <class Number>
  Number number(std::size_t column, const char* what) const {
    const std::string& cell = cells_[column];
    Number value{};
    auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || end != cell.data() + cell.size() || !(value >= 0) ||
        !std::isfinite(static_cast<double>(value)))
      refuse(std::string(what) + " must be a number, zero or more, got '" + cell + "'");
    return value;
  }

 private:
  std::string file_;
  std::size_t number_;
  std::vector<std::string> cells_;
};

/// The places of what is needed among the columns.
struct Columns {
  std::string heads;
  std::optional<std::size_t> name, numel, bytes;
  std::size_t gap;
};
const Columns kKnown[] = {{"model idx tensor numel ready_gap_us", 2, 3, {}, 4},
                          {"model idx wait_us bytes", {}, {}, 3, 2}};

const Columns& columns_of(const std::vector<std::string>& heads, const std::string& path) {
  std::string found = join(heads, " ");
  for (const Columns& known : kKnown)
    if (known.heads == found) return known;
  throw InputError(path + ":1: unknown columns '" + found + "'; known, separated by tabs: '" +
                   kKnown[0].heads + "', '" + kKnown[1].heads + "'");
}

}  // namespace

std::vector<RecordedTimeline> read_tensor_traces(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!file || !std::getline(file, text)) throw InputError(path + ": cannot be read, or is empty");
  const std::vector<std::string> heads = cells_of(text);
  const Columns& columns = columns_of(heads, path);
  std::vector<RecordedTimeline> models;
  for (std::size_t number = 2; std::getline(file, text); ++number) {
    std::vector<std::string> cells = cells_of(text);
    if (cells.size() == 1 && cells[0].empty()) continue;
    std::size_t count = cells.size();
    Line line(path, number, std::move(cells));
    if (count != heads.size())
      line.refuse("has " + std::to_string(count) + " cells, and the heads are " +
                  std::to_string(heads.size()));
    if (models.empty() || models.back().model != line.text(0)) {
      for (const RecordedTimeline& known : models)
        if (known.model == line.text(0)) line.refuse("'" + line.text(0) + "' goes on behind another model");
      RecordedTimeline& model = models.emplace_back();
      model.model = line.text(0);
      model.source =
          "imported from " + std::filesystem::path(path).filename().string() + " (" + columns.heads + ")";
    }
    RecordedTimeline& model = models.back();
    if (line.number<std::uint64_t>(1, "idx") != model.tensors.size())
      line.refuse("idx must be " + std::to_string(model.tensors.size()) + ", got " + line.text(1));
    double before = model.tensors.empty() ? 0 : model.tensors.back().ready_s;
    RecordedTimeline::Tensor tensor;
    if (columns.name) tensor.name = line.text(*columns.name);
    tensor.numel = line.number<std::uint64_t>(columns.numel ? *columns.numel : *columns.bytes, "the size");
    if (columns.bytes) {
      if (tensor.numel % 4 != 0)
        line.refuse("bytes of fp32 gradients must be a multiple of 4, got " + line.text(3));
      tensor.numel /= 4;
    }
    tensor.ready_s = before + kMicrosecond * line.number<double>(columns.gap, "the gap");
    model.tensors.push_back(tensor);
  }
  if (models.empty()) throw InputError(path + ": has no tensors");
  return models;
}

}  // namespace traincast
