#include <algorithm>
#include <string_view>

#include <ATen/ops/empty.h>

#include "fedtune/base/error.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kept_zeros.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct EmbeddingOptions {
  EmbeddingIndex index;
  double eps;
  Dropout dropout;
  std::vector<std::int64_t> words, positions, types;  // shapes of the tables; types is empty where there is none
};

const std::int32_t* read_index(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<std::int32_t>() : nullptr;
}

// An index outside its table would read memory that is not ours.
void check(const at::Tensor& index, const at::Tensor& table, std::string_view what) {
  const std::int32_t* const first = read_index(index);
  const auto outside = [size = table.size(0)](std::int32_t i) { return i < 0 || i >= size; };
  const std::int32_t* const found = std::find_if(first, first + index.numel(), outside);
  if (found != first + index.numel())
    throw input_error(
        "embedding: {} {} in row {}, but the model's table has {}: tokenizer and model do not belong together", what,
        *found, found - first, table.size(0));
}

struct Output {
  at::Tensor y, normalised, inverse;
};

void run(const EmbeddingIndex& index, const EmbeddingWeight& weight, const Dropout& dropout, const Output& output) {
  const ProfileScope scope(Work::embeddings);
  const kernels::Kernels& set = kernels::active();
  parallel_rows(output.y.size(0), fewest_rows, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = scratch_rows(2, output.y.size(1));
    set.embedding({.first = first,
                   .rows = last,
                   .features = output.y.size(1),
                   .ids = read_index(index.ids),
                   .positions = read_index(index.positions),
                   .type_ids = read_index(index.type_ids),
                   .word = read(weight.word),
                   .position = read(weight.position),
                   .type = read(weight.type),
                   .gamma = read(weight.norm.gamma),
                   .beta = read(weight.norm.beta),
                   .eps = static_cast<float>(weight.norm.eps),
                   .drop = drop_of(dropout, {}),
                   .y = write(output.y),
                   .normalised = write(output.normalised),
                   .inverse = write(output.inverse),
                   .scratch = write(scratch)});
  });
}

class EmbeddingNorm : public torch::autograd::Function<EmbeddingNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& word, const at::Tensor& position,
                            const at::Tensor& gamma, const at::Tensor& beta, const std::optional<at::Tensor>& type,
                            const EmbeddingOptions& options) {
    at::AutoDispatchBelowADInplaceOrView below;
    const std::int64_t rows = options.index.ids.size(0);
    const Output output{.y = at::empty({rows, word.size(1)}, word.options()),
                        .normalised = at::empty({rows, word.size(1)}, word.options()),
                        .inverse = at::empty({rows}, word.options())};
    run(options.index,
        {.word = word,
         .position = position,
         .type = type.value_or(at::Tensor()),
         .norm = {.gamma = gamma, .beta = beta, .eps = options.eps}},
        options.dropout, output);
    context->save_for_backward({output.normalised, output.inverse, gamma});
    keep(context, options);
    return output.y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const ProfileScope scope(Work::embeddings);
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &normalised = saved[0], &inverse = saved[1], &gamma = saved[2];
    const auto& options = kept<EmbeddingOptions>(context);
    const at::Tensor dy = gradients[0].contiguous();
    const auto zeros = [&](std::size_t input, at::IntArrayRef shape) {
      return !shape.empty() && context->needs_input_grad(input) ? at::zeros(shape, dy.options()) : at::Tensor();
    };
    const at::Tensor dword = context->needs_input_grad(0) ? kept_zeros(options.words) : at::Tensor();
    const at::Tensor dposition = zeros(1, options.positions);
    const at::Tensor dgamma = zeros(2, gamma.sizes()), dbeta = zeros(3, gamma.sizes());
    const at::Tensor dtype = zeros(4, options.types);
    const at::Tensor scratch = scratch_rows(2, dy.size(1));
    kernels::active().embedding_backward({.rows = dy.size(0),
                                          .features = dy.size(1),
                                          .ids = read_index(options.index.ids),
                                          .positions = read_index(options.index.positions),
                                          .type_ids = read_index(options.index.type_ids),
                                          .dy = read(dy),
                                          .normalised = read(normalised),
                                          .inverse = read(inverse),
                                          .gamma = read(gamma),
                                          .drop = drop_of(options.dropout, {}),
                                          .dword = write(dword),
                                          .dposition = write(dposition),
                                          .dtype = write(dtype),
                                          .dgamma = write(dgamma),
                                          .dbeta = write(dbeta),
                                          .scratch = write(scratch)});
    return {dword, dposition, dgamma, dbeta, dtype, {}};
  }
};

}  // namespace

at::Tensor embedding_layer_norm(const EmbeddingIndex& index, const EmbeddingWeight& weight, const Dropout& dropout) {
  if (!use_kernels(weight.word)) return plain::embedding_layer_norm(index, weight, dropout);
  check(index.ids, weight.word, "token id");
  check(index.positions, weight.position, "position");
  if (weight.type.defined()) check(index.type_ids, weight.type, "token type");

  if (needs_gradient(weight.word, weight.position, weight.type, weight.norm.gamma, weight.norm.beta))
    return EmbeddingNorm::apply(
        weight.word, weight.position, weight.norm.gamma, weight.norm.beta, optional(weight.type),
        EmbeddingOptions{.index = index,
                         .eps = weight.norm.eps,
                         .dropout = dropout,
                         .words = weight.word.sizes().vec(),
                         .positions = weight.position.sizes().vec(),
                         .types = weight.type.defined() ? weight.type.sizes().vec() : std::vector<std::int64_t>{}});
  const Output output{
      .y = at::empty({index.ids.size(0), weight.word.size(1)}, weight.word.options()), .normalised = {}, .inverse = {}};
  run(index, weight, dropout, output);
  return output.y;
}

}  // namespace fedtune::nn
