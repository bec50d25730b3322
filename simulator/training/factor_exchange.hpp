// How learners' factors of layers' gradients are sent, and what becomes of them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "simulator/scenario/scenario.hpp"
#include "simulator/training/training_algorithm.hpp"
#include "workloads/layer_factors.hpp"

namespace traincast {

/// The factors of one step.
struct StepFactors {
  const Step& step;
  FactorWorld& world;
  std::span<const float> parameters;
  std::span<const std::span<float>> rows;  ///< by learner: what is sent, layer by layer
  std::span<float> gradient;               ///< of the model; rows of parameters with factors are filled in
};

/// What a step sent of one layer with factors.
struct LayerSent {
  std::vector<Phase> phases;  ///< one collective, then decoding
  Bytes bytes = 0;            ///< of the factors, of all learners
  double effective_rank = 0;  ///< mean over learners; where products are reduced
};

class FactorExchange {
 public:
  virtual ~FactorExchange() = default;
  virtual FactorForm form() const = 0;
  virtual bool reduces() const { return false; }
  /// By layer; nothing for those without factors.
  virtual std::vector<LayerSent> send(const StepFactors& factors) = 0;
  virtual void save(Writer& writer) const = 0;
  virtual void load(Reader& reader) = 0;
};

std::unique_ptr<FactorExchange> make_gathered_factors(const Scenario& scenario,
                                                      std::span<const TensorInfo> tensors,
                                                      std::span<const LayerFactors> layers, unsigned threads);
std::unique_ptr<FactorExchange> make_reduced_factors(const Scenario& scenario,
                                                     std::span<const TensorInfo> tensors,
                                                     std::span<const LayerFactors> layers, unsigned threads);

/// How numbers that are no gradient travel: as fp32, or by the codec of the scenario's method, without what
/// the method does around it for gradients: memories, votes, means compressed anew, small tensors left dense.
class NumberCodec {
 public:
  NumberCodec(const Scenario& scenario, std::uint32_t id, std::string name);

  struct Sent {
    Bytes bytes = 0, value_bytes = 0;
  };
  /// The sender's message of [rows, numbers / rows] numbers, which become what others decode.
  Sent send(std::uint64_t step, LearnerId sender, std::uint64_t rows, std::span<float> numbers);
  bool dense() const { return compressor_ == nullptr; }
  void add_encode_work(std::uint64_t rows, std::uint64_t width, Stage stage, std::vector<Work>& work) const;
  void add_decode_work(std::uint64_t rows, std::uint64_t width, std::uint32_t messages,
                       std::vector<Work>& work) const;
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  Bucket unit(std::uint64_t rows, std::uint64_t width) const;

  std::uint64_t seed_;
  std::uint32_t id_;
  std::string name_;
  std::unique_ptr<Compressor> compressor_;  // null: fp32
};

}  // namespace traincast
