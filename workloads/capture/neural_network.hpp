// A model that learners train, without a word of LibTorch: parameters that all replicas share, and for each
// thread a replica that computes gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "workloads/capture/pass_clock.hpp"
#include "workloads/data/batch.hpp"
#include "workloads/layer_factors.hpp"
#include "workloads/models/model.hpp"
#include "workloads/training_rule.hpp"

namespace traincast {

enum class Device { automatic, cpu, cuda };
enum class Precision { fp32, fp64 };

/// Whether this device is a CUDA one here. Throws InputError where it is not there.
bool uses_cuda(Device device);

/// Bytes of that CUDA device's memory that nothing has taken.
double free_cuda_memory();

struct NetworkOptions {
  Model model;
  std::uint64_t seed = 0;
  Device device = Device::automatic;
  Precision precision = Precision::fp32;
};

/// Of labels of a mini-batch: how many the first loss's logits have as their largest.
struct Score {
  double loss = 0;
  std::uint64_t right = 0, of = 0;
};

/// Used by one thread at a time.
class Replica {
 public:
  virtual ~Replica() = default;
  /// Forward and backward over one mini-batch; the mean loss of its samples.
  virtual double run(const Batch& batch) = 0;
  /// The same, and writes the matrices that `layers` say are sent, one after the other, in the network's
  /// precision. Recurrent layers are carried out step by step.
  virtual double run(const Batch& batch, std::span<const LayerFactors> layers,
                     std::span<std::byte> factors) = 0;
  /// From what every learner sent for `samples` samples: the mean over learners of the gradients that these
  /// are factors of, each in its place of `gradient`, which is as long as the model. Deltas that are not sent
  /// are computed from what is and the parameters.
  virtual void multiply(std::span<const LayerFactors> layers, std::uint64_t samples,
                        std::span<const std::span<const std::byte>> sent, std::span<std::byte> gradient) = 0;
  /// Forward alone, without dropout; normalising, as in training, by the mini-batch's own statistics.
  virtual Score evaluate(const Batch& batch) = 0;
  virtual PassTimes times() = 0;  ///< of the last run
  /// Of the last run, valid until the next; fp32 only.
  virtual std::span<const float> gradient(std::uint32_t tensor) = 0;
  virtual std::vector<double> gradient_in_double(std::uint32_t tensor) = 0;
  /// From now on the replica has these parameters, tensor by tensor, in place of the network's; fp32 only. On
  /// the CPU they are read whenever it runs, on a CUDA device here.
  virtual void look_at(std::span<const float> parameters) = 0;
};

class Network {
 public:
  /// Throws InputError where the device is not there.
  explicit Network(NetworkOptions options);
  ~Network();

  bool on_cuda() const;
  std::string device_name() const;
  std::string cuda_version() const;          ///< of the runtime; empty on the CPU
  std::unique_ptr<Replica> replica() const;  ///< the network must outlive it

  /// One step from the mean gradient of each tensor. No replica may be running. Gives the seconds that the
  /// device took.
  double apply(std::span<const std::vector<float>> mean_gradient, double learning_rate,
               const Optimizer& optimizer = {});

  std::vector<float> parameter(std::uint32_t tensor) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string libtorch_version();

/// Makes LibTorch compute in the calling thread alone.
void use_one_thread_each();

}  // namespace traincast
