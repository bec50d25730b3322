#include "workloads/capture/models.hpp"

#include <ATen/ATen.h>

#include <cassert>
#include <cstdint>

namespace traincast {

namespace {

/// Hands out the parameters one after the other.
class Cursor {
 public:
  explicit Cursor(std::span<const at::Tensor> parameters) : left_(parameters) {}
  ~Cursor() { assert(left_.empty() && "the catalog has layers that the model does not use"); }
  const at::Tensor& take() {
    const at::Tensor& first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  bool empty() const { return left_.empty(); }

 private:
  std::span<const at::Tensor> left_;
};

at::Tensor linear(Cursor& parameters, const at::Tensor& x) {
  const at::Tensor& weight = parameters.take();
  return at::linear(x, weight, parameters.take());
}

// With batch normalisation by the mini-batch's own statistics; running ones serve inference only.
at::Tensor convolution(Cursor& parameters, const at::Tensor& x, std::int64_t stride, bool batch_norm) {
  const at::Tensor& weight = parameters.take();
  std::int64_t padding = weight.size(2) / 2;
  if (!batch_norm) return at::conv2d(x, weight, parameters.take(), stride, padding);
  at::Tensor y = at::conv2d(x, weight, {}, stride, padding);
  const at::Tensor& scale = parameters.take();
  return at::batch_norm(y, scale, parameters.take(), {}, {}, /*training=*/true, /*momentum=*/0.1,
                        /*eps=*/1e-5,
                        /*cudnn_enabled=*/true);
}

at::Tensor mlp(const Parameters&, std::span<const at::Tensor> parameters, at::Tensor x) {
  Cursor cursor(parameters);
  x = linear(cursor, x.flatten(1));
  while (!cursor.empty()) x = linear(cursor, x.relu_());
  return x;
}

at::Tensor convnet(const Parameters& p, std::span<const at::Tensor> parameters, at::Tensor x) {
  Cursor cursor(parameters);
  bool norm = p.flag("batch_norm");
  x = convolution(cursor, x, 1, norm).relu_();
  for (int stage = 0; stage < 3; ++stage)
    for (std::int64_t block = 0; block < p.count("blocks"); ++block) {
      bool narrows = stage > 0 && block == 0;
      std::int64_t stride = narrows ? 2 : 1;
      at::Tensor inner = convolution(cursor, x, stride, norm).relu_();
      inner = convolution(cursor, inner, 1, norm);
      at::Tensor past = narrows ? convolution(cursor, x, stride, norm) : x;
      x = (inner + past).relu_();
    }
  return linear(cursor, x.mean({2, 3}));
}

}  // namespace

Forward forward_of(std::string_view workload) {
  assert(workload == "mlp" || workload == "convnet");
  return workload == "mlp" ? mlp : convnet;
}

}  // namespace traincast
