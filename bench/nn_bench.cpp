// Times the fused operations of nn/ on one thread, in the shapes of DistilBERT's layers (768 features, 12 heads) with
// the 368 rows of a packed CoLA batch; and, by path_bench.cpp, what surrounds them. Shares are of the peaks measured at
// the start: of FMA where arithmetic is the limit, else of copying memory.
//
//   nn_bench [MODEL DATA]   a folder with a tokenizer and a data set, for the tokenizer's time
#include <cstdint>
#include <vector>

#include "path_bench.h"
#include "share.h"
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>

#include "fedtune/base/memory.h"
#include "fedtune/nn/matrix.h"
#include "fedtune/nn/ops.h"
#include "fedtune/nn/thread.h"

namespace fedtune::nn {
namespace {

using benchmark::State;

constexpr std::int64_t rows = 368, features = 768, wide = 3072, heads = 12, rank = 8;
constexpr Dropout tenth{.p = 0.1, .key = {1, 2}};

// Bytes of matrices of `features` columns.
constexpr double matrices(int count, std::int64_t columns) {
  return count * sizeof(float) * static_cast<double>(rows * columns);
}

at::Tensor random(std::int64_t r, std::int64_t c) {
  return at::randn({r, c});
}
at::Tensor trained(const at::Tensor& x) {
  return x.detach().clone().set_requires_grad(true);
}

// Arguments: rows, out, in.
void shapes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t m : {rows, 2 * rows})
    for (const auto& [out, in] : {std::pair{features, features}, {wide, features}, {features, wide}, {384l, 384l}})
      bench->Args({m, out, in});
}
double gemm(const State& state) {
  return 2.0 * static_cast<double>(state.range(0)) * static_cast<double>(state.range(1)) *
         static_cast<double>(state.range(2));
}

void FrozenForward(State& state) {
  const PackedWeight weight(random(state.range(1), state.range(2)));
  const at::Tensor x = random(state.range(0), state.range(2)), bias = at::randn({state.range(1)});
  for (auto _ : state) benchmark::DoNotOptimize(weight.forward(x, bias));
  bench::count_operations(state, gemm(state));
}
BENCHMARK(FrozenForward)->Apply(shapes);

void FrozenBackward(State& state) {
  const PackedWeight weight(random(state.range(1), state.range(2)));
  const at::Tensor dy = random(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(weight.backward(dy));
  bench::count_operations(state, gemm(state));
}
BENCHMARK(FrozenBackward)->Apply(shapes);

void TrainedForward(State& state) {
  const LinearWeight weight{.weight = random(state.range(1), state.range(2)), .bias = {}, .packed = nullptr};
  const at::Tensor x = random(state.range(0), state.range(2));
  for (auto _ : state) benchmark::DoNotOptimize(product_forward(x, weight, {}));
  bench::count_operations(state, gemm(state));
}
BENCHMARK(TrainedForward)->Apply(shapes);

void TrainedInputGradient(State& state) {
  const LinearWeight weight{.weight = random(state.range(1), state.range(2)), .bias = {}, .packed = nullptr};
  const at::Tensor dy = random(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(product_backward(dy, weight));
  bench::count_operations(state, gemm(state));
}
BENCHMARK(TrainedInputGradient)->Apply(shapes);

void TrainedWeightGradient(State& state) {
  const at::Tensor dy = random(state.range(0), state.range(1)), x = random(state.range(0), state.range(2));
  for (auto _ : state) benchmark::DoNotOptimize(product_weight(dy, x));
  bench::count_operations(state, gemm(state));
}
BENCHMARK(TrainedWeightGradient)->Apply(shapes);

// The operation forward, or forward and backward: argument 0 or 1.
template <typename Operation>
void forward_and_backward(State& state, Operation operation) {
  const at::Tensor dy = random(rows, features);
  for (auto _ : state) {
    const at::Tensor y = operation();
    if (state.range(0)) y.backward(y.size(1) == features ? dy : random(y.size(0), y.size(1)));
  }
}

// What a LoRA adapter adds to its frozen layer: a layer of one output keeps the matrix product out of the time.
void LoraAdapter(State& state) {
  LinearWeight weight{.weight = at::zeros({features, features}), .bias = {}, .packed = nullptr};
  freeze(weight);
  const at::Tensor x = trained(random(rows, features)), a = trained(random(rank, features)),
                   b = trained(random(features, rank));
  const LoraWeight lora{.a = a, .b = b, .scale = 2.0};
  const bool with_lora = state.range(1) != 0;
  forward_and_backward(state, [&] { return with_lora ? lora_linear(x, weight, lora, tenth, {}) : linear(x, weight); });
  if (!with_lora) return;
  const int products = state.range(0) ? 6 : 2;
  bench::count_operations(state, products * 2.0 * static_cast<double>(rows * features * rank));
}
BENCHMARK(LoraAdapter)->ArgsProduct({{0, 1}, {0, 1}});

void Gelu(State& state) {
  const at::Tensor x = trained(random(rows, wide)), bias = at::randn({wide});
  const at::Tensor dy = random(rows, wide);
  for (auto _ : state) {
    const at::Tensor y = bias_gelu(x.view_as(x), bias);
    if (state.range(0)) y.backward(dy);
  }
  bench::count_bytes(state, matrices(state.range(0) ? 6 : 3, wide));
}
BENCHMARK(Gelu)->Arg(0)->Arg(1);

void ResidualNorm(State& state) {
  const at::Tensor x = trained(random(rows, features)), residual = trained(random(rows, features));
  const LayerNormWeight norm{.gamma = at::ones({features}), .beta = at::zeros({features})};
  const Dropout dropout = state.range(1) ? tenth : Dropout{};
  forward_and_backward(
      state, [&] { return dropout_residual_layer_norm(x.view_as(x), norm.beta, residual, norm, dropout, {}); });
  bench::count_bytes(state, matrices(state.range(0) ? 8 : 4, features));
}
BENCHMARK(ResidualNorm)->ArgsProduct({{0, 1}, {0, 1}});

void Embedding(State& state) {
  const at::Tensor ids = at::randint(30522, {rows}).to(at::kInt), positions = at::randint(32, {rows}).to(at::kInt);
  const EmbeddingWeight weight{.word = random(30522, features),
                               .position = random(512, features),
                               .type = {},
                               .norm = {.gamma = at::ones({features}), .beta = at::zeros({features})}};
  for (auto _ : state)
    benchmark::DoNotOptimize(embedding_layer_norm({.ids = ids, .positions = positions, .type_ids = {}}, weight, tenth));
  bench::count_bytes(state, matrices(3, features));
}
BENCHMARK(Embedding);

// Argument 1: tokens per sentence.
void Attention(State& state) {
  const std::int64_t length = state.range(1);
  const AttentionShape shape{.offsets = at::arange(0, rows + 1, length, at::kInt), .heads = heads};
  const at::Tensor q = trained(random(rows, features)), k = trained(random(rows, features)),
                   v = trained(random(rows, features));
  forward_and_backward(state, [&] { return packed_attention(q, k, v, shape, tenth).context; });
  const int products = state.range(0) ? 6 : 2;
  bench::count_operations(state, products * 2.0 * static_cast<double>(rows * length * features));
}
BENCHMARK(Attention)->ArgsProduct({{0, 1}, {11, 23, 46, 184}});

}  // namespace
}  // namespace fedtune::nn

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  fedtune::keep_freed_memory();  // as the program does
  fedtune::nn::prepare_worker_thread();
  fedtune::bench::measure_peaks();
  if (argc == 3) fedtune::bench::add_tokenizer(argv[1], argv[2]);
  benchmark::RunSpecifiedBenchmarks();
}
