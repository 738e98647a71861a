#include "fedtune/train/adamw.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::train {
namespace {

at::Tensor leaf(const at::Tensor& values) {
  return values.clone().detach().requires_grad_(true);
}

// The update as the paper writes it, in double.
struct Reference {
  at::Tensor parameter, mean, square;
  int steps = 0;

  explicit Reference(const at::Tensor& start)
      : parameter(start.detach().to(at::kDouble)), mean(at::zeros_like(parameter)), square(at::zeros_like(parameter)) {}

  void step(const at::Tensor& gradient, const AdamWOptions& options) {
    const at::Tensor g = gradient.to(at::kDouble);
    ++steps;
    mean = mean * options.beta1 + g * (1.0 - options.beta1);
    square = square * options.beta2 + g * g * (1.0 - options.beta2);
    const at::Tensor mean_hat = mean / (1.0 - std::pow(options.beta1, steps));
    const at::Tensor square_hat = square / (1.0 - std::pow(options.beta2, steps));
    parameter = parameter * (1.0 - options.lr * options.weight_decay);
    parameter = parameter - options.lr * mean_hat / (square_hat.sqrt() + options.eps);
  }
};

void expect_follows_the_paper(const AdamWOptions& options, AdamW::Form form) {
  const at::Tensor parameter = leaf(at::randn({3, 37}));
  Reference reference(parameter);
  AdamW optimizer({parameter}, options, form);
  for (int step = 0; step < 5; ++step) {
    const at::Tensor gradient = at::randn({3, 37}) * std::pow(10.0, -step);
    parameter.mutable_grad() = gradient.clone();
    optimizer.step(options.lr);
    reference.step(gradient, options);
  }
  EXPECT_TRUE(parameter.detach().to(at::kDouble).allclose(reference.parameter, 1e-5, 1e-6));
}

TEST(AdamW, FusedFormFollowsThePaper) {
  expect_follows_the_paper({.lr = 0.1}, AdamW::Form::fused);
}
TEST(AdamW, PlainFormFollowsThePaper) {
  expect_follows_the_paper({.lr = 0.1}, AdamW::Form::plain);
}
TEST(AdamW, FusedFormDecaysWeights) {
  expect_follows_the_paper({.lr = 0.1, .weight_decay = 0.5}, AdamW::Form::fused);
}
TEST(AdamW, PlainFormDecaysWeights) {
  expect_follows_the_paper({.lr = 0.1, .weight_decay = 0.5}, AdamW::Form::plain);
}

// Expected values: torch.optim.AdamW(lr=0.1, eps=1e-6, weight_decay=0.01) in Python, on the same gradients. The second
// and third would differ with eps inside the bias correction.
TEST(AdamW, MatchesTorchsOptimizer) {
  const at::Tensor parameter = leaf(at::tensor({1.0f, -2.0f, 0.5f}));
  AdamW optimizer({parameter}, {.weight_decay = 0.01});
  for (const at::Tensor& gradient :
       {at::tensor({0.1f, -0.2f, 3.0f}), at::tensor({0.3f, 0.2f, -1.0f}), at::tensor({0.0f, 1e-7f, 0.5f})}) {
    parameter.mutable_grad() = gradient;
    optimizer.step(0.1);
  }
  const at::Tensor expected = at::tensor({0.7345735430717468, -1.90353262424469, 0.31817710399627686}, at::kDouble);
  EXPECT_TRUE(parameter.detach().to(at::kDouble).allclose(expected, 0.0, 2e-7)) << parameter;
}

TEST(AdamW, DropsTheGradientsItUsed) {
  const at::Tensor parameter = leaf(at::tensor({1.0f}));
  AdamW optimizer({parameter}, {});
  parameter.mutable_grad() = at::tensor({1.0f});
  optimizer.step(0.1);
  EXPECT_FALSE(parameter.grad().defined());
}

TEST(AdamW, LeavesAParameterWithoutAGradientAlone) {
  const at::Tensor used = leaf(at::tensor({1.0f}));
  const at::Tensor unused = leaf(at::tensor({1.0f}));
  AdamW optimizer({used, unused}, {.weight_decay = 0.5});
  used.mutable_grad() = at::tensor({1.0f});
  optimizer.step(0.1);
  EXPECT_NE(used.item<float>(), 1.0f);
  EXPECT_EQ(unused.item<float>(), 1.0f);
}

TEST(AdamW, GivesTheSameBitsForOneAndTwoThreads) {
  const at::Tensor start = at::randn({100003});
  const at::Tensor gradient = at::randn({100003});
  std::vector<at::Tensor> results;
  const int before = at::get_num_threads();
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    results.push_back(leaf(start));
    AdamW optimizer({results.back()}, {});
    for (int step = 0; step < 3; ++step) {
      results.back().mutable_grad() = gradient.clone();
      optimizer.step(0.1);
    }
  }
  at::set_num_threads(before);
  EXPECT_TRUE(results[0].equal(results[1]));
}

// Most rows of a table of embeddings have no gradient in a step, and many never have one.
TEST(AdamW, GivesATableTheBitsThatEachRowAloneWouldHave) {
  constexpr std::int64_t rows = 9000, features = 5;
  const at::Tensor start = at::randn({rows, features});
  const at::Tensor table = leaf(start), flat = leaf(start.flatten());
  AdamW of_table({table}, {}), of_flat({flat}, {});
  for (int step = 0; step < 4; ++step) {
    const at::Tensor gradient = at::zeros_like(start);
    for (const std::int64_t row : {3 + step, 17, step % 2 ? 8999 : 4000}) gradient[row].normal_();
    table.mutable_grad() = gradient;
    flat.mutable_grad() = gradient.flatten().clone();
    of_table.step(0.1);
    of_flat.step(0.1);
  }
  EXPECT_TRUE(table.flatten().equal(flat));
  EXPECT_TRUE(table[5000].equal(start[5000]));
  EXPECT_FALSE(table[8999].equal(start[8999]));
  EXPECT_TRUE(of_table.state()[1].flatten().equal(of_flat.state()[1]));
}

TEST(AdamW, GoesOnWithATableWhereAnotherLeftOff) {
  const at::Tensor start = at::randn({9000, 3});
  const at::Tensor straight = leaf(start), cut = leaf(start);
  AdamW whole({straight}, {}), first({cut}, {});
  AdamW* halves = &first;
  AdamW second({cut}, {});
  for (int step = 0; step < 2; ++step) {
    const at::Tensor gradient = at::zeros_like(start);
    gradient[10 + step].fill_(1.0);
    straight.mutable_grad() = gradient.clone();
    cut.mutable_grad() = gradient.clone();
    whole.step(0.1);
    halves->step(0.1);
    second.restore(first.state());
    halves = &second;
  }
  EXPECT_TRUE(straight.equal(cut));
}

// As a first step takes moments for 0 without reading them.
TEST(AdamW, BeginsWithMomentsOfZero) {
  const at::Tensor start = at::randn({300, 37});
  for (const AdamW::Form form : {AdamW::Form::fused, AdamW::Form::plain}) {
    const at::Tensor fresh = leaf(start), restored = leaf(start), unused = leaf(start);
    AdamW begins({fresh, unused}, {}, form), goes_on({restored, unused}, {}, form);
    for (const at::Tensor& moment : begins.state()) EXPECT_EQ(moment.count_nonzero().item<std::int64_t>(), 0);
    std::vector<at::Tensor> zeros;
    for (const at::Tensor& moment : goes_on.state()) zeros.push_back(at::zeros_like(moment));
    goes_on.restore(zeros);
    const at::Tensor gradient = at::randn({300, 37});
    for (const at::Tensor& parameter : {fresh, restored}) parameter.mutable_grad() = gradient.clone();
    begins.step(0.1);
    goes_on.step(0.1);
    EXPECT_TRUE(fresh.equal(restored));
    for (std::size_t i = 0; i < zeros.size(); ++i) EXPECT_TRUE(begins.state()[i].equal(goes_on.state()[i]));
  }
}

// Two leaves of a chain, the first of them used twice, and a table of which each step uses other rows.
struct Chain {
  at::Tensor first, last, table, unused;
  AdamW optimizer;

  Chain(const at::Tensor& start, const at::Tensor& rows)
      : first(leaf(start)),
        last(leaf(start)),
        table(leaf(rows)),
        unused(leaf(start)),
        optimizer({first, last, table, unused}, {}) {}

  at::Tensor loss(std::int64_t step) const {
    const at::Tensor x = table.narrow(0, 10 * step, first.size(0)).tanh();
    return x.mm(first).tanh().mm(first).tanh().mm(last).square().sum();
  }
};

TEST(AdamW, GivesTheSameBitsDuringTheBackwardPassAsAfterIt) {
  const at::Tensor start = at::randn({7, 7}), rows = at::randn({9000, 7});
  Chain during(start, rows), after(start, rows);
  for (int step = 0; step < 4; ++step) {
    during.optimizer.step_during([&] { during.loss(step).backward(); }, 0.1);
    after.loss(step).backward();
    after.optimizer.step(0.1);
  }
  EXPECT_TRUE(during.first.equal(after.first));
  EXPECT_TRUE(during.last.equal(after.last));
  EXPECT_TRUE(during.table.equal(after.table));
  EXPECT_FALSE(during.first.equal(start));
  EXPECT_TRUE(during.unused.equal(start));
  for (const auto& tensor : {during.first, during.last, during.table}) EXPECT_FALSE(tensor.grad().defined());
}

TEST(AdamW, MovesAParameterBeforeTheNextGradientIsThere) {
  const at::Tensor start = at::randn({7, 7});
  Chain chain(start, at::randn({9000, 7}));
  bool seen = false;
  chain.table.register_hook([&](const at::Tensor&) {
    seen = true;
    EXPECT_FALSE(chain.last.equal(start));
    EXPECT_FALSE(chain.last.grad().defined());
  });
  chain.optimizer.step_during([&] { chain.loss(0).backward(); }, 0.1);
  EXPECT_TRUE(seen);
}

TEST(AdamW, LeavesLaterBackwardPassesAlone) {
  const at::Tensor start = at::randn({7, 7});
  Chain chain(start, at::randn({9000, 7}));
  EXPECT_THROW(chain.optimizer.step_during([] { throw failed("no loss"); }, 0.1), Error);
  chain.loss(0).backward();
  EXPECT_TRUE(chain.first.grad().defined());
  EXPECT_TRUE(chain.first.equal(start));
}

TEST(AdamW, RefusesToTrainNothing) {
  EXPECT_THROW(AdamW({}, {}), Error);
}

}  // namespace
}  // namespace fedtune::train
