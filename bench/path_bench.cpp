// Times what a round does outside the model on one thread: the optimiser, the mean of contributions, the tokenizer.
#include <cstdint>
#include <string>
#include <vector>

#include "share.h"
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include "fedtune/aggregate/measures.h"
#include "fedtune/aggregate/weighted_mean.h"
#include "fedtune/data/dataset.h"
#include "fedtune/io/parameters.h"
#include "fedtune/text/tokenizer.h"
#include "fedtune/train/adamw.h"

namespace fedtune {
namespace {

using benchmark::State;

// DistilBERT's adapters of rank 8 in queries and values, with its head; and half a layer's matrices.
constexpr std::int64_t adapters = 739586, matrices = 3538944;

void AdamW(State& state) {
  const at::Tensor parameter = at::randn({state.range(0)}).set_requires_grad(true);
  const at::Tensor gradient = at::randn({state.range(0)});
  train::AdamW optimizer({parameter}, {});
  for (auto _ : state) {
    parameter.mutable_grad() = gradient;
    optimizer.step(1e-5);
  }
  constexpr double moved = 7.0 * sizeof(float);  // the gradient is read, three tensors are read and written
  bench::count_bytes(state, moved * static_cast<double>(state.range(0)));
}
BENCHMARK(AdamW)->Arg(adapters)->Arg(matrices);

struct Contributions {
  explicit Contributions(int clients) {
    for (int rank = 1; rank <= clients; ++rank)
      tensors.push_back(io::named_tensors_from({{"adapters", at::randn({adapters})}}));
  }
  std::vector<NamedTensors> tensors;
};

void WeightedMean(State& state) {
  const Contributions clients(static_cast<int>(state.range(0)));
  std::vector<aggregate::Contribution> contributions;
  for (const NamedTensors& tensors : clients.tensors)
    contributions.push_back({.rank = static_cast<int>(contributions.size()) + 1, .weight = 100.0, .tensors = &tensors});
  for (auto _ : state) benchmark::DoNotOptimize(aggregate::weighted_mean(contributions));
  bench::count_bytes(state, sizeof(float) * static_cast<double>(adapters * (state.range(0) + 1)));
}
BENCHMARK(WeightedMean)->Arg(4)->Arg(20);

void Measures(State& state) {
  const Contributions one(2);
  for (auto _ : state) benchmark::DoNotOptimize(aggregate::measure(one.tensors[0], one.tensors[1]));
  bench::count_bytes(state, 2.0 * sizeof(float) * static_cast<double>(adapters));
}
BENCHMARK(Measures);

void Tokenize(State& state, const text::Tokenizer& tokenizer, const std::vector<std::string>& sentences) {
  double bytes = 0.0, tokens = 0.0;
  for (const std::string& sentence : sentences) {
    bytes += static_cast<double>(sentence.size());
    tokens += static_cast<double>(tokenizer.encode(sentence, 512).size());
  }
  for (auto _ : state)
    for (const std::string& sentence : sentences) benchmark::DoNotOptimize(tokenizer.encode(sentence, 512));
  bench::count_bytes(state, bytes + tokens * sizeof(std::int32_t));
  using benchmark::Counter;
  state.counters["tokens/s"] = Counter(tokens, Counter::kIsIterationInvariantRate);
}

}  // namespace

namespace bench {

// The tokenizer of `model` on the training sentences of `data`.
void add_tokenizer(const std::string& model, const std::string& data) {
  std::vector<std::string> sentences;
  for (const data::Sentence& sentence : data::load_dataset({.path = data}).train) sentences.push_back(sentence.text);
  benchmark::RegisterBenchmark("Tokenize", [tokenizer = text::Tokenizer::load(model), sentences](State& state) {
    Tokenize(state, tokenizer, sentences);
  })->Unit(benchmark::kMillisecond);
}

}  // namespace bench
}  // namespace fedtune
