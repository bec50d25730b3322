#include "analysis/gradient_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "analysis/text_table.hpp"
#include "base/names.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

std::string digits(const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, std::fabs(*value) >= 999.5 ? "%.0f" : "%.3g", *value);
  return text;
}

// Of 1.
std::string share(const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", *value);
  return text;
}

std::string cell(const MethodNumbers& numbers) {
  return digits(numbers.build_up) + " / " + digits(numbers.wire_ratio) + " / " + share(numbers.contraction);
}

std::vector<Column> columns_of(const GradientTable& table) {
  std::vector<Column> columns{{"model", true}, {"parameters"}, {"batch"}, {"pass"}, {"N"}};
  for (const std::string& method : table.methods) columns.push_back({method});
  return columns;
}

std::vector<std::vector<std::string>> cells_of(const GradientTable& table) {
  std::vector<std::vector<std::string>> rows;
  for (const GradientsOfModel& model : table.models) {
    std::vector<std::string> row{model.model, std::to_string(model.parameters), std::to_string(model.batch),
                                 model.pass_cpu_s ? format_seconds(*model.pass_cpu_s) : "-"};
    if (model.at.empty()) {
      row.resize(columns_of(table).size(), "-");
      rows.push_back(row);
    }
    const std::vector<std::string> further{"", "", "", ""};
    auto end_row = [&] {
      row.resize(columns_of(table).size(), "-");
      rows.push_back(std::exchange(row, further));
    };
    std::uint64_t told = model.batch;
    for (const GradientsOfModel::AtLearners& at : model.at) {
      const std::uint64_t batch = at.recorded ? at.recorded->batch : model.batch;
      if (batch != told) {
        if (row != further) end_row();  // the pass was one over the model's own mini-batch
        row[2] = batch == 0 ? "-" : std::to_string(batch);
      }
      told = batch;
      row.push_back(std::to_string(at.learners));
      for (const MethodNumbers& numbers : at.methods) row.push_back(cell(numbers));
      end_row();
    }
  }
  return rows;
}

std::string reasons(const GradientTable& table, const std::string& before) {
  std::string text;
  for (const GradientsOfModel& model : table.models)
    for (const std::string& why : model.lacking) text += before + model.model + ": " + why + "\n";
  return text;
}

// By data, in the order of models.
std::string sources(const GradientTable& table) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_data;
  auto add = [&](const std::string& data, const std::string& model) {
    if (data.empty()) return;
    auto known = std::ranges::find(by_data, data, [](const auto& one) { return one.first; });
    if (known == by_data.end()) known = by_data.insert(known, {data, {}});
    if (std::ranges::find(known->second, model) == known->second.end()) known->second.push_back(model);
  };
  for (const GradientsOfModel& model : table.models) {
    add(model.data, model.model);
    for (const GradientsOfModel::AtLearners& at : model.at)
      if (at.recorded) add(at.recorded->data, model.model);
  }
  std::string text;
  for (const auto& [data, models] : by_data)
    text += (text.empty() ? "data: " : "; ") + data + " (" + join(models) + ")";
  return text.empty() ? text : text + "\n";
}

constexpr const char* kMeaning =
    "pass: forward and backward of a learner's mini-batch, seconds of one core; N: learners; of a method:\n"
    "build-up / compression ratio on the wire / contraction\n";

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::optional<double> maybe(const JsonReader& at) {
  if (at.value().is_null()) return std::nullopt;
  return at.number();
}

std::uint64_t whole(const JsonReader& at) {
  if (at.integer() < 0) at.refuse("must not be negative, got " + at.shown());
  return static_cast<std::uint64_t>(at.integer());
}

}  // namespace

Json GradientsOfModel::to_json() const {
  Json json;
  json["model"] = model;
  json["workload"] = workload;
  json["parameters"] = parameters;
  json["batch"] = batch;
  json["data"] = data;
  json["pass_cpu_s"] = number(pass_cpu_s);
  json["processor"] = processor;
  json["learners"] = Json::Array{};
  for (const AtLearners& there : at) {
    Json point;
    point["learners"] = there.learners;
    if (there.recorded) {
      point["recorded"]["batch"] = there.recorded->batch;
      point["recorded"]["data"] = there.recorded->data;
    }
    point["methods"] = Json::Array{};
    for (const MethodNumbers& numbers : there.methods) {
      Json method;
      method["build_up"] = number(numbers.build_up);
      method["wire_ratio"] = number(numbers.wire_ratio);
      method["contraction"] = number(numbers.contraction);
      point["methods"].push_back(method);
    }
    json["learners"].push_back(point);
  }
  json["lacking"] = Json::list(lacking);
  return json;
}

GradientsOfModel GradientsOfModel::from_json(const JsonReader& at) {
  GradientsOfModel model;
  model.model = at.at("model").text();
  model.workload = at.at("workload").value();
  model.parameters = whole(at.at("parameters"));
  model.batch = whole(at.at("batch"));
  model.data = at.at("data").text();
  model.pass_cpu_s = maybe(at.at("pass_cpu_s"));
  model.processor = at.at("processor").text();
  for (const JsonReader& point : at.at("learners").items()) {
    AtLearners& there = model.at.emplace_back();
    there.learners = static_cast<std::uint32_t>(whole(point.at("learners")));
    if (auto recorded = point.find("recorded"))
      there.recorded = {whole(recorded->at("batch")), recorded->at("data").text()};
    for (const JsonReader& method : point.at("methods").items())
      there.methods.push_back(
          {maybe(method.at("build_up")), maybe(method.at("wire_ratio")), maybe(method.at("contraction"))});
  }
  for (const JsonReader& why : at.at("lacking").items()) model.lacking.push_back(why.text());
  return model;
}

std::string to_text(const GradientTable& table) {
  return render_table(columns_of(table), cells_of(table)) + "\n" + kMeaning + sources(table) +
         reasons(table, "");
}

std::string to_markdown(const GradientTable& table) {
  const std::string why = reasons(table, "- ");
  return markdown_table(columns_of(table), cells_of(table)) + "\n" + kMeaning + sources(table) +
         (why.empty() ? "" : "\n") + why;
}

Json to_json(const GradientTable& table) {
  Json json;
  json["methods"] = Json::list(table.methods);
  json["models"] = Json::Array{};
  for (const GradientsOfModel& model : table.models) json["models"].push_back(model.to_json());
  return json;
}

}  // namespace traincast
