#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "fedtune/models/golden_fixture.h"

namespace fedtune::models {
namespace {

class Golden : public testing::TestWithParam<std::string> {
 protected:
  const std::vector<golden::Sentence> sentences_ = golden::sentences();
  const golden::Expected expected_{GetParam()};
  const SequenceClassifier model_ = golden::load(GetParam());

  Batch all() const { return golden::pack(sentences_, {0, sentences_.size()}, model_.config); }
  Batch first_batch() const { return golden::pack(sentences_, {0, golden::batch_size}, model_.config); }
};

// Gradients of every parameter of `model`, in order.
std::vector<at::Tensor> gradients(const SequenceClassifier& model, const at::Tensor& loss) {
  loss.backward();
  std::vector<at::Tensor> all;
  for (const auto& parameter : model.parameters()) all.push_back(parameter.tensor.grad());
  return all;
}

// A key's bias adds the same to every score of a query, which softmax ignores: what is computed for it is rounding.
bool is_key_bias(const std::string& name) {
  return name.ends_with("key.bias") || name.ends_with("k_lin.bias");
}

ForwardOptions with_dropout() {
  return {.training = true, .place = {.seed = 5, .purpose = Purpose::dropout, .round = 2, .rank = 3, .step = 7}};
}

TEST_P(Golden, LogitsAreThoseOfTransformers) {
  EXPECT_LT(golden::max_difference(model_.forward(all(), {}).logits, expected_["logits"]), 2e-5);
}

TEST_P(Golden, FrozenWeightsGiveTheSameLogits) {
  SequenceClassifier frozen = model_;
  freeze_all(frozen);
  EXPECT_LT(golden::max_difference(frozen.forward(all(), {}).logits, expected_["logits"]), 2e-5);
}

TEST_P(Golden, ASentenceScoresTheSameAloneAndInABatch) {
  const at::Tensor together = model_.forward(all(), {}).logits;
  for (std::size_t s = 0; s < sentences_.size(); ++s) {
    const Batch alone = golden::pack(sentences_, {s, s + 1}, model_.config);
    EXPECT_LT(golden::max_difference(model_.forward(alone, {}).logits[0], together[static_cast<std::int64_t>(s)]),
              2e-5);
  }
}

TEST_P(Golden, GradientsAreThoseOfTransformers) {
  const SequenceClassifier trained = trainable_copy(model_);
  golden::loss_of(trained, first_batch()).backward();
  for (const auto& [name, tensor] : trained.parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    if (is_key_bias(name)) {
      EXPECT_LT(tensor.grad().abs().max().item<double>(), 1e-6) << name;
      continue;
    }
    const double scale = expected_["gradient_norm." + name].item<double>();
    EXPECT_LT(golden::relative_difference(golden::sampled(tensor.grad()), expected_["gradient." + name]), 1e-4) << name;
    EXPECT_NEAR(tensor.grad().norm().item<double>() / scale, 1.0, 1e-5) << name;
  }
}

TEST_P(Golden, PruningTheLastLayerChangesNoLogitAndNoGradient) {
  for (const ForwardOptions& options : {ForwardOptions{}, with_dropout()}) {
    ForwardOptions unpruned = options;
    unpruned.prune_last_layer = false;
    const SequenceClassifier a = trainable_copy(model_);
    const SequenceClassifier b = trainable_copy(model_);
    const at::Tensor loss_a = golden::loss_of(a, first_batch(), options);
    const at::Tensor loss_b = golden::loss_of(b, first_batch(), unpruned);
    EXPECT_NEAR(loss_a.item<double>(), loss_b.item<double>(), 1e-6);
    const auto names = a.parameters();
    const auto found = gradients(a, loss_a);
    const auto wanted = gradients(b, loss_b);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (is_key_bias(names[i].name)) continue;
      EXPECT_LT(golden::relative_difference(found[i], wanted[i]), 1e-4) << names[i].name;
    }
  }
}

TEST_P(Golden, AskingForProbabilitiesChangesNoLogit) {
  for (const ForwardOptions& options : {ForwardOptions{}, with_dropout()}) {
    ForwardOptions asking = options;
    asking.probabilities = true;
    const auto plain = model_.forward(all(), options);
    const auto asked = model_.forward(all(), asking);
    EXPECT_LT(golden::max_difference(plain.logits, asked.logits), 2e-5);
    EXPECT_TRUE(plain.probabilities.empty());
    ASSERT_EQ(asked.probabilities.size(), model_.layers.size());
  }
}

TEST_P(Golden, ProbabilitiesOfEachQuerySumToOne) {
  std::int64_t pairs = 0;
  for (const auto& sentence : sentences_) pairs += static_cast<std::int64_t>(sentence.ids.size() * sentence.ids.size());
  const auto result = model_.forward(all(), {.probabilities = true});
  for (const at::Tensor& layer : result.probabilities) {
    ASSERT_EQ(layer.sizes(), at::IntArrayRef({pairs, model_.config.heads}));
    const auto length = static_cast<std::int64_t>(sentences_[0].ids.size());
    const auto first = layer.narrow(0, 0, length * length).view({length, length, model_.config.heads});
    EXPECT_LT(golden::max_difference(first.sum(1), at::ones({length, model_.config.heads})), 1e-5);
  }
}

TEST_P(Golden, DropoutDependsOnItsPlaceAlone) {
  const auto loss = [&](const ForwardOptions& options) {
    return golden::loss_of(model_, all(), options).item<double>();
  };
  ForwardOptions next_step = with_dropout();
  ++next_step.place.step;
  EXPECT_EQ(loss(with_dropout()), loss(with_dropout()));
  EXPECT_NE(loss(with_dropout()), loss(next_step));
  EXPECT_NE(loss(with_dropout()), loss({}));
}

TEST(RobertaHead, DropsSomeOfWhatItReads) {
  SequenceClassifier model = golden::load("roberta");
  ModelConfig& config = model.config;
  config.hidden_dropout = config.attention_output_dropout = config.attention_dropout = config.classifier_dropout = 0.0;
  const auto loss = [&](double p) {
    config.head_input_dropout = p;
    return golden::loss_of(model, golden::pack(golden::sentences(), {0, 8}, config), with_dropout()).item<double>();
  };
  EXPECT_NE(loss(0.5), loss(0.0));
}

INSTANTIATE_TEST_SUITE_P(, Golden, testing::Values("bert", "distilbert", "roberta"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace fedtune::models
