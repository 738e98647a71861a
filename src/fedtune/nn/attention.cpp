#include <algorithm>

#include <ATen/ops/empty.h>

#include "fedtune/base/error.h"
#include "fedtune/base/profile.h"
#include "fedtune/nn/fused.h"
#include "fedtune/nn/kernels/select.h"
#include "fedtune/nn/parallel.h"
#include "fedtune/nn/plain.h"

namespace fedtune::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t fewest_sentences = 2;

// Sizes that follow from the sentence lengths.
struct Sizes {
  std::int64_t sentences = 0, tokens = 0, longest = 0;
  std::int64_t pairs = 0;  // of tokens within a sentence
  std::int64_t saved = 0;  // floats the kernels keep per head
};

Sizes sizes_of(const AttentionShape& shape) {
  const std::int32_t* const offsets = shape.offsets.const_data_ptr<std::int32_t>();
  Sizes sizes{.sentences = shape.offsets.numel() - 1};
  for (std::int64_t s = 0; s < sizes.sentences; ++s) {
    const std::int64_t length = offsets[s + 1] - offsets[s];
    if (length <= 0) throw failed("attention: sentence {} has {} tokens; it needs one at least", s, length);
    const std::int64_t padded = (length + kernels::key_padding - 1) / kernels::key_padding * kernels::key_padding;
    sizes.longest = std::max(sizes.longest, length);
    sizes.pairs += length * length;
    sizes.saved += (shape.first_query_only ? 1 : length) * padded;
  }
  sizes.tokens = offsets[sizes.sentences];
  return sizes;
}

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionShape& shape,
           const Sizes& sizes) {
  const std::int64_t queries = shape.first_query_only ? sizes.sentences : k.size(0);
  if (shape.heads <= 0 || q.size(1) % shape.heads != 0)
    throw failed("attention: {} features do not divide into {} heads", q.size(1), shape.heads);
  if (k.sizes() != v.sizes() || q.size(0) != queries || q.size(1) != k.size(1) || sizes.tokens > k.size(0))
    throw failed("attention: {} queries, {} keys and {} values do not fit {} sentences of {} tokens", q.size(0),
                 k.size(0), v.size(0), sizes.sentences, sizes.tokens);
  if (shape.first_query_only && shape.probabilities)
    throw failed("attention: probabilities need every query, but only the first of each sentence asks");
}

// Threads take sentences, from `first` to before `last`.
kernels::AttentionShape kernel_shape(const AttentionShape& shape, std::int64_t first, std::int64_t last,
                                     std::int64_t features) {
  return {.first = first,
          .sentences = last,
          .heads = shape.heads,
          .head_dim = features / shape.heads,
          .offsets = shape.offsets.const_data_ptr<std::int32_t>(),
          .first_query_only = shape.first_query_only};
}

// Keys transposed, and two matrices of scores.
at::Tensor scratch_for(const Sizes& sizes, std::int64_t head_dim) {
  const std::int64_t padded = sizes.longest + kernels::key_padding;
  return at::empty({padded * (head_dim + 2 * sizes.longest)}, at::kFloat);
}

// Rows no sentence owns hold 0.
at::Tensor empty_rows(std::int64_t rows, std::int64_t owned, const at::Tensor& like) {
  at::Tensor x = at::empty({rows, like.size(1)}, like.options());
  if (owned < rows) x.narrow(0, owned, rows - owned).zero_();
  return x;
}

struct Inputs {
  at::Tensor q, k, v;
};

// Fills `saved` where it is defined.
AttentionResult run(const Inputs& in, const AttentionShape& shape, const Sizes& sizes, const Dropout& dropout,
                    const at::Tensor& saved) {
  const ProfileScope scope(Work::attention);
  AttentionResult result;
  result.context = empty_rows(in.q.size(0), shape.first_query_only ? sizes.sentences : sizes.tokens, in.q);
  if (shape.probabilities) result.probabilities = at::empty({sizes.pairs, shape.heads}, in.q.options());
  const kernels::Kernels& set = kernels::active();
  parallel_rows(sizes.sentences, fewest_sentences, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = scratch_for(sizes, in.q.size(1) / shape.heads);
    set.attention({.shape = kernel_shape(shape, first, last, in.q.size(1)),
                   .q = read(in.q),
                   .k = read(in.k),
                   .v = read(in.v),
                   .drop = drop_of(dropout, {}),
                   .context = write(result.context),
                   .saved = write(saved),
                   .probabilities = write(result.probabilities),
                   .scratch = write(scratch)});
  });
  return result;
}

struct AttentionOptions {
  AttentionShape shape;
  Sizes sizes;
  Dropout dropout;
};

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const AttentionOptions& options) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->set_materialize_grads(false);
    const at::Tensor saved = at::empty({options.sizes.saved * options.shape.heads}, q.options());
    AttentionResult result = run({q, k, v}, options.shape, options.sizes, options.dropout, saved);
    context->save_for_backward({q, k, v, saved});
    keep(context, options);
    if (!options.shape.probabilities) return {result.context};
    return {result.context, result.probabilities};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const ProfileScope scope(Work::attention);
    at::AutoDispatchBelowADInplaceOrView below;
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const auto& [shape, sizes, dropout] = kept<AttentionOptions>(context);
    const auto dense = [](const at::Tensor& x) { return x.defined() ? x.contiguous() : x; };
    const at::Tensor dcontext = dense(gradients[0]);
    const at::Tensor dprobabilities = shape.probabilities ? dense(gradients[1]) : at::Tensor();

    at::Tensor dq, dk, dv;
    if (context->needs_input_grad(0))
      dq = empty_rows(q.size(0), shape.first_query_only ? sizes.sentences : sizes.tokens, q);
    if (context->needs_input_grad(1)) dk = empty_rows(k.size(0), sizes.tokens, k);
    if (context->needs_input_grad(2) && dcontext.defined()) dv = empty_rows(v.size(0), sizes.tokens, v);
    const kernels::Kernels& set = kernels::active();
    parallel_rows(sizes.sentences, fewest_sentences,
                  [&, &shape = shape, &sizes = sizes, &dropout = dropout](std::int64_t first, std::int64_t last) {
                    const at::Tensor scratch = scratch_for(sizes, q.size(1) / shape.heads);
                    set.attention_backward({.shape = kernel_shape(shape, first, last, q.size(1)),
                                            .q = read(q),
                                            .k = read(k),
                                            .v = read(v),
                                            .saved = read(saved[3]),
                                            .dcontext = read(dcontext),
                                            .dprobabilities = read(dprobabilities),
                                            .drop = drop_of(dropout, {}),
                                            .dq = write(dq),
                                            .dk = write(dk),
                                            .dv = write(dv),
                                            .scratch = write(scratch)});
                  });
    return {dq, dk, dv, {}};
  }
};

}  // namespace

AttentionResult packed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const AttentionShape& shape, const Dropout& dropout) {
  const Sizes sizes = sizes_of(shape);
  check(q, k, v, shape, sizes);
  if (!use_kernels(q)) return plain::packed_attention(q, k, v, shape, dropout);
  const Inputs in{q.contiguous(), k.contiguous(), v.contiguous()};
  if (!needs_gradient(q, k, v)) return run(in, shape, sizes, dropout, {});
  const variable_list outputs =
      PackedAttention::apply(in.q, in.k, in.v, AttentionOptions{.shape = shape, .sizes = sizes, .dropout = dropout});
  return {.context = outputs[0], .probabilities = shape.probabilities ? outputs[1] : at::Tensor()};
}

}  // namespace fedtune::nn
