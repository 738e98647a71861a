// Losses: what training descends and what a score reports.
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace fedtune::train {

// Mean over the sentences of -log softmax(logits)[label], in fp32. logits [sentences, classes], labels int64
// [sentences]. A scalar; differentiable in the logits.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels);

// The same for one sentence, on the host in double.
double cross_entropy(std::span<const float> logits, std::int32_t label);

}  // namespace fedtune::train
