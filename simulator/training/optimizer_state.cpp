#include "simulator/training/optimizer_state.hpp"

#include <cmath>

namespace traincast {

void OptimizerState::apply(std::span<const float> gradient, double learning_rate,
                           std::span<float> parameters) {
  const auto rate = static_cast<float>(learning_rate), mu = static_cast<float>(rule_.momentum);
  const auto decay = static_cast<float>(rule_.weight_decay);
  ++steps_;
  if (rule_.kind == Optimizer::Kind::sgd) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      float g = gradient[i] + decay * parameters[i];
      momentum_[i] = mu * momentum_[i] + g;
      parameters[i] -= rate * (rule_.nesterov ? g + mu * momentum_[i] : momentum_[i]);
    }
    return;
  }
  const auto t = static_cast<double>(steps_);
  const auto first = static_cast<float>(1 - std::pow(rule_.momentum, t));
  const auto second = static_cast<float>(1 - std::pow(rule_.beta2, t));
  const auto beta2 = static_cast<float>(rule_.beta2), epsilon = static_cast<float>(rule_.epsilon);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    float g = gradient[i] + decay * parameters[i];
    momentum_[i] = mu * momentum_[i] + (1 - mu) * g;
    squares_[i] = beta2 * squares_[i] + (1 - beta2) * g * g;
    parameters[i] -= rate * (momentum_[i] / first) / (std::sqrt(squares_[i] / second) + epsilon);
  }
}

void OptimizerState::save(Writer& writer) const {
  writer.put_all(std::span<const float>(momentum_));
  writer.put_all(std::span<const float>(squares_));
  writer.put(steps_);
}

void OptimizerState::load(Reader& reader) {
  momentum_ = reader.get_all<float>();
  squares_ = reader.get_all<float>();
  steps_ = reader.get<std::uint64_t>();
}

}  // namespace traincast
