#include <ATen/ops/empty.h>
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

struct NormOptions {
  double eps;
  Dropout dropout;
  RowIds row_ids;
  bool bias;
};

// What the backward pass reads; undefined tensors are not written.
struct Statistics {
  at::Tensor normalised;  // [rows, features]
  at::Tensor inverse;     // 1 / deviation, [rows]
};

void run(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const LayerNormWeight& norm,
         const Dropout& dropout, const RowIds& row_ids, const at::Tensor& y, const Statistics& statistics) {
  const ProfileScope scope(Work::norms);
  const kernels::Kernels& set = kernels::active();
  parallel_rows(x.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = scratch_rows(2, x.size(1));
    set.norm({.first = first,
              .rows = last,
              .features = x.size(1),
              .x = read(x),
              .bias = read(bias),
              .residual = read(residual),
              .gamma = read(norm.gamma),
              .beta = read(norm.beta),
              .eps = static_cast<float>(norm.eps),
              .drop = drop_of(dropout, row_ids),
              .y = write(y),
              .normalised = write(statistics.normalised),
              .inverse = write(statistics.inverse),
              .scratch = write(scratch)});
  });
}

// Adds to the gradients of gamma and beta, where they are defined: threads take columns.
void add_parameters(const at::Tensor& dy, const at::Tensor& normalised, const at::Tensor& dgamma,
                    const at::Tensor& dbeta) {
  if (!dgamma.defined() && !dbeta.defined()) return;
  const kernels::Kernels& set = kernels::active();
  parallel_columns(dy.size(1), [&](std::int64_t first, std::int64_t last) {
    set.norm_parameters({.rows = dy.size(0),
                         .features = last - first,
                         .stride = dy.size(1),
                         .dy = read(dy) + first,
                         .normalised = read(normalised) + first,
                         .dgamma = dgamma.defined() ? write(dgamma) + first : nullptr,
                         .dbeta = dbeta.defined() ? write(dbeta) + first : nullptr});
  });
}

class ResidualNorm : public torch::autograd::Function<ResidualNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& residual,
                            const at::Tensor& gamma, const at::Tensor& beta, const std::optional<at::Tensor>& bias,
                            const NormOptions& options) {
    at::AutoDispatchBelowADInplaceOrView below;
    const Statistics statistics{.normalised = x.detach(),  // takes the place of x
                                .inverse = at::empty({x.size(0)}, x.options())};
    note_overwritten(x);
    at::Tensor y = at::empty_like(x);
    run(x, bias.value_or(at::Tensor()), residual, {.gamma = gamma, .beta = beta, .eps = options.eps}, options.dropout,
        options.row_ids, y, statistics);
    context->save_for_backward({statistics.normalised, statistics.inverse, gamma});
    keep(context, options);
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const ProfileScope scope(Work::norms);
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &normalised = saved[0], &inverse = saved[1], &gamma = saved[2];
    const auto& options = kept<NormOptions>(context);
    const bool want_bias = options.bias && context->needs_input_grad(4);
    const at::Tensor dy = gradients[0].contiguous();

    const at::Tensor dresidual = at::empty_like(dy);
    at::Tensor dx, dbias;
    if (context->needs_input_grad(0) || want_bias) dx = options.dropout.active() ? at::empty_like(dy) : dresidual;
    const at::Tensor dgamma = zeros_if(context->needs_input_grad(2), gamma);
    const at::Tensor dbeta = zeros_if(context->needs_input_grad(3), gamma);
    const kernels::Kernels& set = kernels::active();
    parallel_rows(dy.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
      const at::Tensor scratch = scratch_rows(2, dy.size(1));
      set.norm_backward({.first = first,
                         .rows = last,
                         .features = dy.size(1),
                         .dy = read(dy),
                         .normalised = read(normalised),
                         .inverse = read(inverse),
                         .gamma = read(gamma),
                         .drop = drop_of(options.dropout, options.row_ids),
                         .dresidual = write(dresidual),
                         .dx = write(dx),
                         .scratch = write(scratch)});
    });
    add_parameters(dy, normalised, dgamma, dbeta);
    if (want_bias) dbias = column_sum(dx);
    return {dx, dresidual, dgamma, dbeta, dbias, {}};
  }
};

}  // namespace

at::Tensor dropout_residual_layer_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual,
                                       const LayerNormWeight& norm, const Dropout& dropout, const RowIds& row_ids) {
  if (!use_kernels(x)) return plain::dropout_residual_layer_norm(x, bias, residual, norm, dropout, row_ids);
  at::Tensor rows = x.contiguous();
  const at::Tensor base = residual.contiguous();
  if (needs_gradient(rows, bias, base, norm.gamma, norm.beta))
    return ResidualNorm::apply(
        rows, base, norm.gamma, norm.beta, optional(bias),
        NormOptions{.eps = norm.eps, .dropout = dropout, .row_ids = row_ids, .bias = bias.defined()});
  run(rows, bias, base, norm, dropout, row_ids, rows, {});
  return rows;
}

}  // namespace fedtune::nn
