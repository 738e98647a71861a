#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "fedtune/nn/plain.h"

namespace fedtune::nn::plain {
namespace {

// The packed batch as a padded one: what to gather, and what of it is real.
struct Padding {
  std::int64_t sentences = 0, queries = 0, keys = 0;  // longest
  at::Tensor key_rows;                                // int64 [sentences * keys], 0 where padded
  at::Tensor key_is_real;                             // bool [sentences, keys]
  at::Tensor query_is_real;                           // bool [sentences, queries]
};

Padding padding_of(const AttentionShape& shape, const at::Device& device) {
  const std::int32_t* offsets = shape.offsets.const_data_ptr<std::int32_t>();
  Padding pad;
  pad.sentences = shape.offsets.numel() - 1;
  for (std::int64_t s = 0; s < pad.sentences; ++s)
    pad.keys = std::max<std::int64_t>(pad.keys, offsets[s + 1] - offsets[s]);
  pad.queries = shape.first_query_only ? 1 : pad.keys;

  at::Tensor rows = at::zeros({pad.sentences, pad.keys}, at::kLong);
  at::Tensor real = at::zeros({pad.sentences, pad.keys}, at::kBool);
  for (std::int64_t s = 0; s < pad.sentences; ++s)
    for (std::int64_t i = 0; i < offsets[s + 1] - offsets[s]; ++i) {
      rows[s][i] = offsets[s] + i;
      real[s][i] = true;
    }
  pad.key_rows = rows.flatten().to(device);
  pad.key_is_real = real.to(device);
  pad.query_is_real = real.narrow(1, 0, pad.queries).to(device);
  return pad;
}

// 0 or 1 / (1 - p): [sentences, heads, queries, keys].
at::Tensor attention_mask(const Dropout& dropout, const AttentionShape& shape, const Padding& pad) {
  const std::int32_t* offsets = shape.offsets.const_data_ptr<std::int32_t>();
  at::Tensor mask = at::zeros({pad.sentences, shape.heads, pad.queries, pad.keys}, at::kFloat);
  auto element = mask.accessor<float, 4>();
  const double limit = dropout.p * 0x1p32;
  const float scale = static_cast<float>(1.0 / (1.0 - dropout.p));
  for (std::int64_t s = 0; s < pad.sentences; ++s)
    for (std::int64_t h = 0; h < shape.heads; ++h)
      for (std::int64_t i = 0; i < pad.queries; ++i)
        for (std::int64_t j = 0; j < pad.keys; ++j) {
          const PhiloxBlock words =
              philox(dropout.key, {static_cast<std::uint32_t>(j / 4), static_cast<std::uint32_t>(offsets[s] + i),
                                   static_cast<std::uint32_t>(h + 1), 0});
          element[s][h][i][j] = words[static_cast<std::size_t>(j % 4)] < limit ? 0.0f : scale;
        }
  return mask;
}

// [rows, heads * head_dim] -> [sentences, heads, length, head_dim].
at::Tensor pad_rows(const at::Tensor& x, const at::Tensor& rows, std::int64_t sentences, std::int64_t heads) {
  return x.index_select(0, rows).view({sentences, -1, heads, x.size(1) / heads}).transpose(1, 2);
}

}  // namespace

AttentionResult packed_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const AttentionShape& shape, const Dropout& dropout) {
  const std::int64_t features = q.size(1);
  const std::int64_t head_dim = features / shape.heads;
  const Padding pad = padding_of(shape, q.device());
  const at::Tensor queries = shape.first_query_only ? q.view({pad.sentences, 1, shape.heads, head_dim}).transpose(1, 2)
                                                    : pad_rows(q, pad.key_rows, pad.sentences, shape.heads);
  const at::Tensor keys = pad_rows(k, pad.key_rows, pad.sentences, shape.heads);
  const at::Tensor values = pad_rows(v, pad.key_rows, pad.sentences, shape.heads);

  at::Tensor scores = queries.matmul(keys.transpose(2, 3)) / std::sqrt(static_cast<double>(head_dim));
  scores = scores.masked_fill(pad.key_is_real.logical_not().view({pad.sentences, 1, 1, pad.keys}),
                              -std::numeric_limits<double>::infinity());
  const at::Tensor probabilities = at::softmax(scores, -1);  // [sentences, heads, queries, keys]
  at::Tensor weights = probabilities;
  if (dropout.active()) weights = weights * attention_mask(dropout, shape, pad).to(q.device(), q.scalar_type());

  at::Tensor context = weights.matmul(values).transpose(1, 2).reshape({-1, features});
  AttentionResult result;
  if (shape.first_query_only) {
    result.context = context;  // [sentences, features]
  } else {
    context = context.index_select(0, pad.query_is_real.flatten().nonzero().flatten());  // [tokens, features]
    result.context = at::constant_pad_nd(context, {0, 0, 0, q.size(0) - context.size(0)});
  }
  if (shape.probabilities) {
    const at::Tensor pairs = pad.query_is_real.unsqueeze(2).logical_and(pad.key_is_real.unsqueeze(1));
    result.probabilities = probabilities.permute({0, 2, 3, 1}).reshape({-1, shape.heads});
    result.probabilities = result.probabilities.index_select(0, pairs.flatten().nonzero().flatten());
  }
  return result;
}

}  // namespace fedtune::nn::plain
