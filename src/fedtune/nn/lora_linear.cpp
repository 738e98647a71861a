#include <ATen/ops/empty.h>

#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/matrix.h"
#include "fedtune/nn/parallel.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Adapter {
  LinearWeight weight;
  double scale;
  Dropout dropout;
  RowIds row_ids;
};

// scale * dropout(x) w^T: [rows, features], [rank, features] -> [rows, rank].
at::Tensor project(const at::Tensor& x, const at::Tensor& w, double scale, const kernels::Drop& drop) {
  const ProfileScope scope(Work::adapters);
  at::Tensor h = at::empty({x.size(0), w.size(0)}, x.options());
  const kernels::Kernels& set = kernels::active();
  parallel_rows(x.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = scratch_rows(kernels::row_block, x.size(1));
    set.project({.first = first,
                 .rows = last,
                 .features = x.size(1),
                 .rank = w.size(0),
                 .x = read(x),
                 .w = read(w),
                 .scale = static_cast<float>(scale),
                 .drop = drop,
                 .h = write(h),
                 .scratch = write(scratch)});
  });
  return h;
}

// y += dropout(h w): [rows, rank], [rank, features].
void expand(const at::Tensor& h, const at::Tensor& w, const kernels::Drop& drop, const at::Tensor& y) {
  const ProfileScope scope(Work::adapters);
  const kernels::Kernels& set = kernels::active();
  parallel_rows(y.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = scratch_rows(kernels::row_block + 1, y.size(1));
    set.expand({.first = first,
                .rows = last,
                .features = y.size(1),
                .rank = w.size(0),
                .h = read(h),
                .w = read(w),
                .drop = drop,
                .y = write(y),
                .scratch = write(scratch)});
  });
}

// h^T dropout(x): [rows, rank], [rows, features] -> [rank, features].
at::Tensor outer(const at::Tensor& h, const at::Tensor& x, const kernels::Drop& drop) {
  const ProfileScope scope(Work::adapters);
  at::Tensor dw = at::zeros({h.size(1), x.size(1)}, x.options());
  const at::Tensor scratch = scratch_rows(kernels::row_block, x.size(1));
  kernels::active().outer({.rows = x.size(0),
                           .features = x.size(1),
                           .rank = h.size(1),
                           .h = read(h),
                           .x = read(x),
                           .drop = drop,
                           .dw = write(dw),
                           .scratch = write(scratch)});
  return dw;
}

struct Forward {
  at::Tensor y, low, b_transposed;
};

Forward run(const at::Tensor& x, const LinearWeight& weight, const LoraWeight& lora, const Dropout& dropout,
            const RowIds& row_ids) {
  Forward result;
  result.y = product_forward(x, weight, weight.bias);
  result.low = project(x, lora.a.contiguous(), lora.scale, drop_of(dropout, row_ids));  // [rows, r]
  result.b_transposed = lora.b.t().contiguous();                                        // [r, out]
  expand(result.low, result.b_transposed, drop_of({}, {}), result.y);
  return result;
}

class LoraLinear : public torch::autograd::Function<LoraLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& w, const at::Tensor& a,
                            const at::Tensor& b, const std::optional<at::Tensor>& bias, const Adapter& adapter) {
    at::AutoDispatchBelowADInplaceOrView below;
    Forward result = run(x, adapter.weight, {.a = a, .b = b, .scale = adapter.scale}, adapter.dropout, adapter.row_ids);
    context->save_for_backward({x, a, result.low, result.b_transposed});
    keep(context, adapter);
    return result.y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &a = saved[1], &low = saved[2], &b_transposed = saved[3];
    const auto& adapter = kept<Adapter>(context);
    const kernels::Drop drop = drop_of(adapter.dropout, adapter.row_ids);
    const kernels::Drop keep_all = drop_of({}, {});
    const at::Tensor dy = gradients[0].contiguous();  // [rows, out]

    at::Tensor dx, dw, da, db, dbias;
    const bool want_x = context->needs_input_grad(0), want_a = context->needs_input_grad(2);
    at::Tensor dlow;  // of A's output, [rows, r]
    if (want_x || want_a) dlow = project(dy, b_transposed, adapter.scale, keep_all);
    if (want_x) {
      dx = product_backward(dy, adapter.weight);
      expand(dlow, a.contiguous(), drop, dx);
    }
    if (context->needs_input_grad(1)) dw = product_weight(dy, x);
    if (want_a) da = outer(dlow, x, drop);
    if (context->needs_input_grad(3)) db = outer(low, dy, keep_all).t();
    if (adapter.weight.bias.defined() && context->needs_input_grad(4)) dbias = column_sum(dy);
    return {dx, dw, da, db, dbias, {}};
  }
};

}  // namespace

at::Tensor lora_linear(const at::Tensor& x, const LinearWeight& weight, const LoraWeight& lora, const Dropout& dropout,
                       const RowIds& row_ids) {
  if (!use_kernels(x)) return plain::lora_linear(x, weight, lora, dropout, row_ids);
  if (!needs_gradient(x, weight.weight, weight.bias, lora.a, lora.b))
    return run(x.contiguous(), weight, lora, dropout, row_ids).y;
  return LoraLinear::apply(x.contiguous(), weight.weight, lora.a, lora.b, optional(weight.bias),
                           Adapter{.weight = weight, .scale = lora.scale, .dropout = dropout, .row_ids = row_ids});
}

}  // namespace fedtune::nn
