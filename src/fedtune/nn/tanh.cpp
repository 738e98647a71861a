#include <ATen/ops/empty_like.h>

#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor run(const at::Tensor& x) {
  const ProfileScope scope(Work::activations);
  at::Tensor y = at::empty_like(x);
  kernels::active().tanh(x.numel(), read(x), write(y));
  return y;
}

class Tanh : public torch::autograd::Function<Tanh> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    at::AutoDispatchBelowADInplaceOrView below;
    at::Tensor y = run(x);
    context->save_for_backward({y});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const ProfileScope scope(Work::activations);
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor y = context->get_saved_variables()[0];
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(dy);
    kernels::active().tanh_backward(dy.numel(), read(dy), read(y), write(dx));
    return {dx};
  }
};

}  // namespace

at::Tensor tanh(const at::Tensor& x) {
  if (!use_kernels(x)) return plain::tanh(x);
  const at::Tensor all = x.contiguous();
  return needs_gradient(all) ? Tanh::apply(all) : run(all);
}

}  // namespace fedtune::nn
