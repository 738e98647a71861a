#include "fedtune/nn/fused.h"
#include "fedtune/nn/matrix.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w,
                            const std::optional<at::Tensor>& bias, const LinearWeight& weight) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({w.requires_grad() ? x : at::Tensor()});
    keep(context, weight);
    return product_forward(x, weight, bias.value_or(at::Tensor()));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor x = context->get_saved_variables()[0];
    const auto& weight = kept<LinearWeight>(context);
    const at::Tensor dy = gradients[0].contiguous();  // [rows, out]
    at::Tensor dx, dw, dbias;
    if (context->needs_input_grad(0)) dx = product_backward(dy, weight);
    if (x.defined() && context->needs_input_grad(1)) dw = product_weight(dy, x);
    if (weight.bias.defined() && context->needs_input_grad(2)) dbias = column_sum(dy);
    return {dx, dw, dbias, {}};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const LinearWeight& weight) {
  if (!use_kernels(x)) return plain::linear(x, weight);
  if (needs_gradient(x, weight.weight, weight.bias))
    return Linear::apply(x.contiguous(), weight.weight, optional(weight.bias), weight);
  return product_forward(x, weight, weight.bias);
}

at::Tensor linear_no_bias(const at::Tensor& x, const LinearWeight& weight) {
  return linear(x, {.weight = weight.weight, .bias = {}, .packed = weight.packed});
}

}  // namespace fedtune::nn
