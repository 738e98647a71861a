#include "fedtune/strategy/lora_error.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "fedtune/base/error.h"
#include "fedtune/nn/matrix.h"

namespace fedtune::strategy {
namespace {

constexpr std::string_view a_suffix = ".lora_A.weight";
constexpr std::string_view b_suffix = ".lora_B.weight";
// Adapters of so many ranks are multiplied at once, however many clients there are.
constexpr std::int64_t most_ranks = 512;

// Where one layer's matrices lie in the layout.
struct Pair {
  std::size_t a, b;  // [r, in], [out, r]
  std::int64_t r, in, out;
};

Pair pair_of(const NamedTensors& mean, std::size_t index) {
  const TensorView& a = mean.tensors[index];
  const std::string b_name = fmt::format("{}{}", a.name.substr(0, a.name.size() - a_suffix.size()), b_suffix);
  const auto found = std::ranges::find(mean.tensors, b_name, &TensorView::name);
  if (found == mean.tensors.end() || a.shape.size() != 2 || found->shape.size() != 2 || a.shape[0] != found->shape[1]) {
    throw failed("averaging error: '{}' {} has no lora_B that fits", a.name, shape_text(a.shape));
  }
  return {.a = index,
          .b = static_cast<std::size_t>(found - mean.tensors.begin()),
          .r = a.shape[0],
          .in = a.shape[1],
          .out = found->shape[0]};
}

// The sum of weighted products B A, the adapters laid on top of one another.
class SumOfProducts {
 public:
  explicit SumOfProducts(const Pair& pair)
      : pair_(pair),
        room_(std::max(most_ranks / pair.r, std::int64_t{1}) * pair.r),
        left_(at::empty({room_, pair.out}, at::kFloat)),
        right_(at::empty({room_, pair.in}, at::kFloat)),
        sum_(at::zeros({pair.out, pair.in}, at::kFloat)) {}

  void add(double weight, const NamedTensors& tensors) {
    if (rows_ == room_) multiply();
    const TensorView &a = tensors.tensors[pair_.a], &b = tensors.tensors[pair_.b];
    std::ranges::copy(a.f32(), right_.mutable_data_ptr<float>() + rows_ * pair_.in);
    float* const to = left_.mutable_data_ptr<float>() + rows_ * pair_.out;
    const float* const from = b.f32().data();
    for (std::int64_t row = 0; row < pair_.out; ++row) {
      for (std::int64_t s = 0; s < pair_.r; ++s) {
        to[s * pair_.out + row] = static_cast<float>(weight * from[row * pair_.r + s]);
      }
    }
    rows_ += pair_.r;
  }

  at::Tensor total() {
    multiply();
    return sum_;
  }

 private:
  void multiply() {
    if (rows_ > 0) sum_.add_(nn::product_weight(left_.slice(0, 0, rows_), right_.slice(0, 0, rows_)));
    rows_ = 0;
  }

  Pair pair_;
  std::int64_t room_;
  std::int64_t rows_ = 0;
  at::Tensor left_;   // [ranks, out]
  at::Tensor right_;  // [ranks, in]
  at::Tensor sum_;    // [out, in]
};

double relative_error(const at::Tensor& mean, const at::Tensor& exact) {
  const float* const m = mean.const_data_ptr<float>();
  const float* const e = exact.const_data_ptr<float>();
  double difference = 0.0, whole = 0.0;
  for (std::int64_t i = 0; i < exact.numel(); ++i) {
    const double d = double{m[i]} - e[i];
    difference += d * d;
    whole += double{e[i]} * e[i];
  }
  return whole > 0.0 ? std::sqrt(difference / whole) : 0.0;
}

}  // namespace

std::vector<LoraError> lora_averaging_errors(std::span<const aggregate::Contribution> contributions,
                                             const NamedTensors& mean) {
  const std::vector<aggregate::Contribution> sorted = aggregate::by_rank(contributions);
  const std::vector<double> shares = aggregate::normalised_weights(sorted);
  std::vector<Pair> pairs;
  std::vector<SumOfProducts> exact;
  for (std::size_t index = 0; index < mean.tensors.size(); ++index) {
    if (!mean.tensors[index].name.ends_with(a_suffix)) continue;
    pairs.push_back(pair_of(mean, index));
    exact.emplace_back(pairs.back());
  }
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    const ReadOnce reading(*sorted[k].tensors);
    for (SumOfProducts& sum : exact) sum.add(shares[k], *sorted[k].tensors);
  }
  std::vector<LoraError> errors;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    SumOfProducts apart(pairs[i]);
    apart.add(1.0, mean);
    const std::string& name = mean.tensors[pairs[i].a].name;
    errors.push_back({.layer = name.substr(0, name.size() - a_suffix.size()),
                      .relative = relative_error(apart.total(), exact[i].total())});
  }
  return errors;
}

}  // namespace fedtune::strategy
