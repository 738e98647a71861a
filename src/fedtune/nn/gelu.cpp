#include <ATen/ops/empty_like.h>

#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t fewest_gelu_rows = 8;

void run(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& y, const at::Tensor& derivative) {
  const ProfileScope scope(Work::activations);
  const std::int64_t features = x.size(1);
  const kernels::Kernels& set = kernels::active();
  parallel_rows(x.size(0), fewest_gelu_rows, [&](std::int64_t first, std::int64_t last) {
    set.gelu({.rows = last - first,
              .features = features,
              .x = read(x) + first * features,
              .bias = read(bias),
              .y = write(y) + first * features,
              .derivative = derivative.defined() ? write(derivative) + first * features : nullptr});
  });
}

class BiasGelu : public torch::autograd::Function<BiasGelu> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const std::optional<at::Tensor>& bias) {
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor derivative = x.detach();  // takes the place of x
    note_overwritten(x);
    at::Tensor y = at::empty_like(x);
    run(x, bias.value_or(at::Tensor()), y, derivative);
    context->save_for_backward({derivative});
    keep(context, bias.has_value());
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const ProfileScope scope(Work::activations);
    at::AutoDispatchBelowADInplaceOrView below;
    const at::Tensor derivative = context->get_saved_variables()[0];
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(dy), dbias;
    const kernels::Kernels& set = kernels::active();
    parallel_rows(dy.numel(), fewest_gelu_rows * dy.size(1), [&](std::int64_t first, std::int64_t last) {
      set.multiply(last - first, read(dy) + first, read(derivative) + first, write(dx) + first);
    });
    if (kept<bool>(context) && context->needs_input_grad(1)) dbias = column_sum(dx);
    return {dx, dbias};
  }
};

}  // namespace

at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias) {
  if (!use_kernels(x)) return plain::bias_gelu(x, bias);
  at::Tensor rows = x.contiguous();
  if (needs_gradient(rows, bias)) return BiasGelu::apply(rows, optional(bias));
  run(rows, bias, rows, {});
  return rows;
}

}  // namespace fedtune::nn
