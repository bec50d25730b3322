#include "analysis/published/validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/published/root.hpp"
#include "base/error.hpp"

namespace traincast {

namespace {

bool counts_bytes(const PublishedColumn& column) {
  return column.quantity == "contributed_bytes" || column.quantity == "compression_ratio";
}

std::string method_of(const Json& scenario) {
  const Json* compressor = scenario.find("compressor");
  if (!compressor) return "none";
  if (compressor->is_string()) return compressor->text();
  const Json* name = compressor->find("name");
  return name && name->is_string() ? name->text() : "";
}

// A parameter's value for a row; the same for all rows where one row solves it.
class Values {
 public:
  explicit Values(const std::vector<FreeParameter>& parameters) {
    for (const FreeParameter& p : parameters)
      initial_.push_back(p.low > 0 ? std::sqrt(p.low * p.high) : 0.5 * (p.low + p.high));
  }
  double of(std::size_t parameter, const std::string& row) const {
    for (const std::string& key : {row, std::string()})
      if (auto found = values_.find({parameter, key}); found != values_.end()) return found->second;
    return initial_[parameter];
  }
  void put(std::size_t parameter, const std::string& row, double value) { values_[{parameter, row}] = value; }

 private:
  std::vector<double> initial_;
  std::map<std::pair<std::size_t, std::string>, double> values_;
};

class Validator {
 public:
  Validator(const PublishedTable& table, const Runner& run, const Refusal& refuses)
      : table_(table), run_(run), refuses_(refuses), values_(table.parameters) {
    result_.table = table;
  }

  ValidatedTable result() {
    find_awaiting();
    std::vector<std::size_t> shared, own;
    for (std::size_t p = 0; p < table_.parameters.size(); ++p)
      (table_.parameters[p].row.empty() ? own : shared).push_back(p);
    solve_all(shared, "");
    for (const PublishedRow& row : table_.rows) {
      std::vector<std::size_t> of_row;
      for (std::size_t p : own)
        if (table_.parameters[p].applies_to(row.name)) of_row.push_back(p);
      if (!awaits(row.name)) solve_all(of_row, row.name);
    }
    for (const PublishedRow& row : table_.rows)
      if (!awaits(row.name))
        for (const PublishedColumn& column : table_.columns)
          if (auto found = row.numbers.find(column.name); found != row.numbers.end())
            result_.numbers.push_back(compare(row, column, found->second));
    result_.runs = reports_.size();
    return std::move(result_);
  }

 private:
  Json scenario_of(const PublishedRow& row, const PublishedColumn& column) const {
    Json scenario = table_.scenario;
    for (const Settings& settings : {column.set, row.set})
      for (const auto& [pointer, value] : settings) set_at_pointer(scenario, pointer, value, table_.file);
    const std::string method = method_of(scenario);
    for (std::size_t p = 0; p < table_.parameters.size(); ++p) {
      const FreeParameter& parameter = table_.parameters[p];
      if (!parameter.applies_to(row.name, column.name)) continue;
      for (const FreeParameter::Place& place : parameter.places) {
        double value = place.times * values_.of(p, row.name);
        if (place.per_learner) value *= scenario.at("learners").number();
        std::string pointer = place.pointer;
        constexpr std::string_view kMethod = "{compressor}";
        if (auto at = pointer.find(kMethod); at != pointer.npos) pointer.replace(at, kMethod.size(), method);
        set_at_pointer(scenario, pointer,
                       place.unit.empty() ? Json(value) : Json(Json(value).dump(-1) + place.unit),
                       table_.file);
      }
    }
    return scenario;
  }

  double run_quantity(const PublishedRow& row, const PublishedColumn& column) {
    Json scenario = scenario_of(row, column);
    auto [at, fresh] = reports_.try_emplace(scenario.dump(-1));
    if (fresh) {
      at->second = run_(scenario, table_.file);
      for (const Json& check : at->second.at("checks").items())
        if (!check.at("passed").flag())
          result_.failed_checks.push_back(row.name + ", " + column.name + ": " + check.at("name").text());
    }
    return quantity_of(column.quantity, at->second);
  }

  double predict(const PublishedRow& row, const PublishedColumn& column) {
    double value = run_quantity(row, column);
    if (!column.relative_to.empty()) value = run_quantity(table_.row(column.relative_to), column) / value;
    return column.times * value;
  }

  void find_awaiting() {
    for (const PublishedRow& row : table_.rows) {
      if (row.awaits.empty() || row.numbers.empty()) continue;
      std::string reason = refuses_(scenario_of(row, table_.column(row.numbers.begin()->first)), table_.file);
      if (!reason.empty()) result_.awaiting.push_back({row.name, row.numbers.size(), reason});
    }
  }

  bool awaits(const std::string& row) const {
    return std::any_of(result_.awaiting.begin(), result_.awaiting.end(),
                       [&](const AwaitingRow& one) { return one.row == row; });
  }

  // Each parameter in turn, the others as they are, until every number is met at once.
  void solve_all(const std::vector<std::size_t>& parameters, const std::string& own_row) {
    constexpr int kMostRounds = 40;
    constexpr double kMet = 3e-5;
    std::map<std::size_t, bool> reached;
    auto row_of = [&](std::size_t p) -> const PublishedRow& {
      return table_.row(own_row.empty() ? table_.parameters[p].row : own_row);
    };
    for (int round = 0; round < kMostRounds; ++round) {
      bool all_met = true;
      for (std::size_t p : parameters) {
        const FreeParameter& parameter = table_.parameters[p];
        const PublishedRow& row = row_of(p);
        const PublishedColumn& column = table_.column(parameter.column);
        const double target = row.numbers.at(parameter.column).value;
        if (awaits(row.name))
          throw InputError(table_.file + ": '" + parameter.name + "' is solved from the row '" + row.name +
                           "', which this version cannot run");
        if (round > 0 && std::fabs(predict(row, column) / target - 1) <= kMet) continue;
        if (round > 0 && !reached[p]) continue;
        all_met = false;
        Root root = solve(
            [&](double value) {
              values_.put(p, own_row, value);
              return predict(row, column);
            },
            target, parameter.low, parameter.high);
        values_.put(p, own_row, root.at);
        reached[p] = root.reached;
      }
      if (all_met) break;
    }
    for (std::size_t p : parameters)
      result_.parameters.push_back({table_.parameters[p].name, table_.parameters[p].unit, row_of(p).name,
                                    table_.parameters[p].column, values_.of(p, own_row), reached[p]});
  }

  ValidatedNumber compare(const PublishedRow& row, const PublishedColumn& column,
                          const PublishedNumber& published) {
    ValidatedNumber number{row.name,           column.name,          column.unit,       published.source,
                           published.value,    predict(row, column), published.at_most, false,
                           published.recalled, counts_bytes(column)};
    for (const SolvedParameter& solved : result_.parameters)
      if (solved.row == row.name && solved.column == column.name) number.calibrates = true;
    return number;
  }

  const PublishedTable& table_;
  const Runner& run_;
  const Refusal& refuses_;
  Values values_;
  std::map<std::string, Json> reports_;  // by scenario
  ValidatedTable result_;
};

}  // namespace

double ValidatedNumber::error() const {
  if (at_most && predicted <= published) return 0;
  return predicted / published - 1;
}

ValidatedTable validate(const PublishedTable& table, const Runner& run, const Refusal& refuses) {
  return Validator(table, run, refuses).result();
}

ErrorSummary summary_of(const std::vector<ValidatedTable>& tables, Selected selected) {
  ErrorSummary summary;
  std::vector<double> magnitudes;
  for (const ValidatedTable& table : tables)
    for (const ValidatedNumber& number : table.numbers) {
      bool chosen = number.recalled
                        ? selected == Selected::recalled
                        : selected == (number.bytes ? Selected::seen_bytes : Selected::seen_times);
      if (number.calibrates || !chosen) continue;
      magnitudes.push_back(std::fabs(number.error()));
      if (summary.worst_name.empty() || magnitudes.back() > std::fabs(summary.worst)) {
        summary.worst = number.error();
        summary.worst_name = table.table.name + ": " + number.row + ", " + number.column;
      }
    }
  summary.count = magnitudes.size();
  if (magnitudes.empty()) return summary;
  std::sort(magnitudes.begin(), magnitudes.end());
  std::size_t middle = magnitudes.size() / 2;
  summary.median =
      magnitudes.size() % 2 ? magnitudes[middle] : 0.5 * (magnitudes[middle - 1] + magnitudes[middle]);
  return summary;
}

}  // namespace traincast
