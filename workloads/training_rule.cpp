#include "workloads/training_rule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace traincast {

namespace {

constexpr Parameter kDecay{"weight_decay", Unit::ratio, "[0, 1]", "0",
                           "of the parameter, added to its gradient"};
constexpr Parameter kSgd[] = {
    {"nesterov", Unit::flag, "", "false", "look ahead by the momentum (Sutskever et al. 2013)"}, kDecay};
constexpr Parameter kAdam[] = {
    {"beta2", Unit::ratio, "[0, 1)", "0.999", "share of the last mean square kept; β₁ is the momentum"},
    {"epsilon", Unit::ratio, "(0, 1]", "1e-8", "added to the root of the mean square"},
    kDecay};
constexpr Entry<Optimizer::Kind> kOptimizers[] = {
    {"sgd", "with momentum, as PyTorch defines it", "Sutskever et al. 2013", kSgd, Optimizer::Kind::sgd},
    {"adam", "moments of the gradient and of its square, both corrected for their start",
     "Kingma, Ba 2015, algorithm 1", kAdam, Optimizer::Kind::adam},
};

constexpr Parameter kWarmup{"warmup", Unit::count, "[0, 1000000000]", "0",
                            "steps over which the rate rises linearly"};
constexpr Parameter kConstant[] = {kWarmup};
constexpr Parameter kSteps[] = {{"at", Unit::counts, "[1, 1000000000]", kRequired,
                                 "steps from which on the factor is applied, each again"},
                                {"factor", Unit::ratio, "(0, 1)", "0.1", "of the rate before"},
                                kWarmup};
constexpr Parameter kCosine[] = {
    {"length", Unit::count, "[1, 1000000000]", kRequired, "steps until the rate is zero"}, kWarmup};
constexpr Parameter kInverse[] = {{"warmup", Unit::count, "[1, 1000000000]", kRequired,
                                   "steps over which the rate rises linearly; then it falls with 1/√step"}};
constexpr Entry<RateSchedule::Kind> kSchedules[] = {
    {"constant", "the same at every step", "", kConstant, RateSchedule::Kind::constant},
    {"steps", "falls at chosen steps", "He et al. 2016, section 3.4", kSteps, RateSchedule::Kind::steps},
    {"cosine", "half a cosine, to zero", "Loshchilov, Hutter 2017, equation 5, without restarts", kCosine,
     RateSchedule::Kind::cosine},
    {"inverse_sqrt", "rises, then falls with the root of the step", "Vaswani et al. 2017, equation 3",
     kInverse, RateSchedule::Kind::inverse_sqrt},
};

}  // namespace

double RateSchedule::operator()(std::uint64_t step) const {
  auto t = static_cast<double>(step);
  double rise = step < warmup ? (t + 1) / static_cast<double>(warmup) : 1;
  switch (kind) {
    case Kind::constant: return rise;
    case Kind::steps: {
      auto passed =
          std::ranges::count_if(at, [&](std::int64_t from) { return t >= static_cast<double>(from); });
      return rise * std::pow(factor, static_cast<double>(passed));
    }
    case Kind::cosine: {
      double share = std::min(1.0, t / static_cast<double>(length));
      return rise * (1 + std::cos(std::numbers::pi * share)) / 2;
    }
    case Kind::inverse_sqrt: return step < warmup ? rise : std::sqrt(static_cast<double>(warmup) / (t + 1));
  }
  return 1;
}

const Catalog<Optimizer::Kind>& optimizer_catalog() {
  static constexpr Catalog<Optimizer::Kind> catalog("optimizers", "optimizer", kOptimizers);
  return catalog;
}

const Catalog<RateSchedule::Kind>& schedule_catalog() {
  static constexpr Catalog<RateSchedule::Kind> catalog("schedules", "schedule of the rate", kSchedules);
  return catalog;
}

Optimizer read_optimizer(const JsonReader& at, double momentum) {
  const auto& entry = optimizer_catalog().find(at);
  Parameters p = read_parameters(at, entry.name, entry.parameters);
  Optimizer optimizer{.kind = entry.make, .momentum = momentum, .weight_decay = p.number("weight_decay")};
  if (entry.make == Optimizer::Kind::adam) {
    optimizer.beta2 = p.number("beta2");
    optimizer.epsilon = p.number("epsilon");
  } else {
    optimizer.nesterov = p.flag("nesterov");
    if (optimizer.nesterov && momentum == 0) at.refuse("nesterov needs a momentum above 0");
  }
  return optimizer;
}

RateSchedule read_schedule(const JsonReader& at) {
  const auto& entry = schedule_catalog().find(at);
  Parameters p = read_parameters(at, entry.name, entry.parameters);
  RateSchedule schedule;
  schedule.kind = entry.make;
  schedule.warmup = static_cast<std::uint64_t>(p.count("warmup"));
  if (entry.make == RateSchedule::Kind::steps) {
    schedule.at = p.counts("at");
    schedule.factor = p.number("factor");
  }
  if (entry.make == RateSchedule::Kind::cosine)
    schedule.length = static_cast<std::uint64_t>(p.count("length"));
  return schedule;
}

}  // namespace traincast
