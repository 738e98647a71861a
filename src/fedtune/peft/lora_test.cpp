#include "fedtune/peft/lora.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "fedtune/base/error.h"
#include "fedtune/models/golden_fixture.h"

namespace fedtune::peft {
namespace {

using models::SequenceClassifier;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace golden = models::golden;

SequenceClassifier injected(const std::string& kind, const LoraConfig& config, std::uint64_t seed = 1) {
  SequenceClassifier model = golden::load(kind);
  models::freeze_all(model);
  inject(model, config, seed);
  return model;
}

// Names without "base_model.model.", shortened to what tells layers apart.
std::vector<std::string> wire_names(const std::string& kind, const LoraConfig& config) {
  std::vector<std::string> names;
  for (const auto& parameter : adapter_parameters(injected(kind, config), config)) {
    EXPECT_THAT(parameter.name, testing::StartsWith("base_model.model."));
    names.push_back(parameter.name.substr(std::string("base_model.model.").size()));
  }
  return names;
}

std::string refusal(const LoraConfig& config) {
  try {
    injected("bert", config);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}

models::Batch whole_batch(const SequenceClassifier& model) {
  const auto sentences = golden::sentences();
  return golden::pack(sentences, {0, sentences.size()}, model.config);
}

TEST(Lora, TravelsInTheOrderOfPeft) {
  EXPECT_THAT(wire_names("distilbert", {.r = 2}),
              ElementsAre("distilbert.transformer.layer.0.attention.q_lin.lora_A.weight",
                          "distilbert.transformer.layer.0.attention.q_lin.lora_B.weight",
                          "distilbert.transformer.layer.0.attention.v_lin.lora_A.weight",
                          "distilbert.transformer.layer.0.attention.v_lin.lora_B.weight",
                          "distilbert.transformer.layer.1.attention.q_lin.lora_A.weight",
                          "distilbert.transformer.layer.1.attention.q_lin.lora_B.weight",
                          "distilbert.transformer.layer.1.attention.v_lin.lora_A.weight",
                          "distilbert.transformer.layer.1.attention.v_lin.lora_B.weight", "pre_classifier.weight",
                          "pre_classifier.bias", "classifier.weight", "classifier.bias"));
}

TEST(Lora, OfABertLeavesThePoolerFrozen) {
  const auto names = wire_names("bert", {.r = 2});
  EXPECT_EQ(names.size(), 10u);
  EXPECT_EQ(names[0], "bert.encoder.layer.0.attention.self.query.lora_A.weight");
  EXPECT_EQ(names[8], "classifier.weight");
}

TEST(Lora, OfARobertaTravelsWithBothLayersOfItsHead) {
  const auto names = wire_names("roberta", {.r = 2});
  EXPECT_EQ(names.size(), 12u);
  EXPECT_EQ(names[0], "roberta.encoder.layer.0.attention.self.query.lora_A.weight");
  EXPECT_EQ(std::vector<std::string>(names.begin() + 8, names.end()),
            (std::vector<std::string>{"classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight",
                                      "classifier.out_proj.bias"}));
}

TEST(Lora, HasTheShapesOfItsLayer) {
  const LoraConfig config{.r = 3, .target_modules = {"lin1"}};
  const auto parameters = adapter_parameters(injected("distilbert", config), config);
  EXPECT_EQ(parameters[0].tensor.sizes(), at::IntArrayRef({3, 32}));
  EXPECT_EQ(parameters[1].tensor.sizes(), at::IntArrayRef({40, 3}));
}

TEST(Lora, StartsAsTheBaseModel) {
  const SequenceClassifier base = golden::load("bert");
  const models::Batch batch = whole_batch(base);
  const auto logits = injected("bert", {}).forward(batch, {}).logits;
  EXPECT_LT(golden::max_difference(logits, base.forward(batch, {}).logits), 2e-5);
}

TEST(Lora, DrawsUniformlyWithinTheKaimingBound) {
  const LoraConfig config{.r = 16};
  const at::Tensor a = adapter_parameters(injected("bert", config), config)[0].tensor.detach();
  const double bound = 1.0 / std::sqrt(32.0);
  EXPECT_LE(a.abs().max().item<double>(), bound);
  EXPECT_GT(a.abs().max().item<double>(), 0.95 * bound);
  EXPECT_NEAR(a.std().item<double>(), bound / std::sqrt(3.0), 0.1 * bound);
}

TEST(Lora, DrawsDependOnTheSeedAndTheLayerAlone) {
  const LoraConfig both{.target_modules = {"query", "value"}};
  const LoraConfig value{.target_modules = {"value"}};
  const auto draw = [&](const LoraConfig& config, std::uint64_t seed) {
    return injected("bert", config, seed).layers[1].value.lora->weight.a;
  };
  EXPECT_TRUE(at::equal(draw(both, 1), draw(value, 1)));
  EXPECT_FALSE(at::equal(draw(both, 1), draw(both, 2)));
}

TEST(Lora, SharesTheFrozenBaseAndOwnsItsHead) {
  SequenceClassifier base = golden::load("distilbert");
  models::freeze_all(base);
  SequenceClassifier client = base;
  inject(client, {}, 1);
  EXPECT_TRUE(client.layers[0].query.weight.weight.is_same(base.layers[0].query.weight.weight));
  EXPECT_FALSE(client.layers[0].query.weight.weight.requires_grad());
  EXPECT_NE(client.classifier.weight.weight.const_data_ptr(), base.classifier.weight.weight.const_data_ptr());
  EXPECT_TRUE(client.classifier.weight.weight.requires_grad());
  EXPECT_FALSE(base.classifier.weight.weight.requires_grad());
}

TEST(Lora, TrainsEveryTensorThatTravelsAndNoOther) {
  for (const auto head : {TrainHead::full, TrainHead::low_rank, TrainHead::none}) {
    const LoraConfig config{.r = 2, .target_modules = {"q_lin", "lin1", "lin2", "out_lin"}, .train_head = head};
    SequenceClassifier model = injected("distilbert", config);
    const auto travelling = adapter_parameters(model, config);
    // B is 0 at the start, which would hide A's gradient.
    for (const auto& [name, tensor] : travelling) {
      if (name.ends_with("lora_B.weight")) at::Tensor(tensor.detach()).fill_(0.01);
    }
    golden::loss_of(model, whole_batch(model)).backward();
    for (const auto& [name, tensor] : travelling) {
      ASSERT_TRUE(tensor.grad().defined()) << name;
      EXPECT_GT(tensor.grad().abs().max().item<double>(), 0.0) << name;
    }
    std::size_t with_gradient = 0;
    for (const auto& parameter : model.parameters()) with_gradient += parameter.tensor.grad().defined();
    const std::size_t head_tensors = head == TrainHead::full ? 4 : head == TrainHead::low_rank ? 3 : 0;
    EXPECT_EQ(with_gradient, head_tensors);
  }
}

TEST(Lora, GradientsAreThoseOfTheMergedWeights) {
  // The directional derivative along one adapter, by central differences on the merged model.
  const LoraConfig config{.r = 4, .target_modules = {"intermediate.dense", "output.dense"}};
  SequenceClassifier model = injected("bert", config);
  const auto travelling = adapter_parameters(model, config);
  for (const auto& [name, tensor] : travelling) {
    if (name.ends_with("lora_B.weight")) at::Tensor(tensor.detach()).uniform_(-0.1, 0.1);
  }
  const models::Batch batch = whole_batch(model);
  golden::loss_of(model, batch).backward();
  for (std::size_t i = 0; i < 4; ++i) {
    at::Tensor values = travelling[i].tensor.detach();
    const at::Tensor direction = travelling[i].tensor.grad() / travelling[i].tensor.grad().norm();
    const double step = 1e-2;
    values.add_(direction, step);
    const double ahead = golden::loss_of(merged(model), batch).item<double>();
    values.sub_(direction, 2 * step);
    const double behind = golden::loss_of(merged(model), batch).item<double>();
    values.add_(direction, step);
    const double slope = (ahead - behind) / (2 * step);
    EXPECT_NEAR(slope / travelling[i].tensor.grad().norm().item<double>(), 1.0, 0.02) << travelling[i].name;
  }
}

TEST(Lora, MergedScoresTheSame) {
  for (const auto head : {TrainHead::full, TrainHead::low_rank, TrainHead::none}) {
    const LoraConfig config{.r = 4, .train_head = head};
    SequenceClassifier model = injected("distilbert", config);
    for (const auto& parameter : adapter_parameters(model, config)) at::Tensor(parameter.tensor.detach()).add_(0.02);
    const models::Batch batch = whole_batch(model);
    EXPECT_LT(golden::max_difference(merged(model).forward(batch, {}).logits, model.forward(batch, {}).logits), 2e-5);
  }
}

TEST(Lora, FactorsADenseHeadLayerWhenAskedTo) {
  const auto names = wire_names("distilbert", {.target_modules = {"q_lin"}, .train_head = TrainHead::low_rank});
  EXPECT_EQ(std::vector<std::string>(names.begin() + 4, names.end()),
            (std::vector<std::string>{"pre_classifier.lora_A.weight", "pre_classifier.lora_B.weight",
                                      "pre_classifier.bias", "classifier.weight", "classifier.bias"}));
}

TEST(Lora, OfABertIsTheSameWithALowRankAndAFullHead) {
  EXPECT_EQ(wire_names("bert", {.train_head = TrainHead::low_rank}), wire_names("bert", {}));
}

TEST(Lora, WithoutAHeadSendsAdaptersAlone) {
  EXPECT_THAT(wire_names("bert", {.train_head = TrainHead::none}), testing::Each(HasSubstr(".lora_")));
}

TEST(Lora, TargetsMayNameAWholePath) {
  EXPECT_EQ(wire_names("bert", {.target_modules = {"bert.encoder.layer.1.output.dense"}}).size(), 4u);
  EXPECT_EQ(wire_names("bert", {.target_modules = {"dense"}}).size(), 16u);
}

TEST(Lora, RefusesATargetThatMatchesNothing) {
  EXPECT_THAT(refusal({.target_modules = {"quary"}}),
              AllOf(HasSubstr("\"quary\" matches no linear layer of this bert"), HasSubstr("did you mean \"query\"?"),
                    HasSubstr("query, key, value, dense")));
}

TEST(Lora, RefusesTheHeadAsATarget) {
  EXPECT_THAT(refusal({.target_modules = {"classifier"}}), HasSubstr("\"classifier\" is the head's classifier"));
}

TEST(Lora, RefusesARankThatIsNone) {
  EXPECT_THAT(refusal({.r = 0}), HasSubstr("LoRA rank is 0, expected at least 1"));
  EXPECT_THAT(refusal({.r = 33}), HasSubstr("LoRA rank is 33, expected at most 32"));
}

TEST(Lora, RefusesAnAlphaThatIsNotPositive) {
  EXPECT_THAT(refusal({.alpha = 0.0}), HasSubstr("LoRA alpha is 0"));
}

TEST(Lora, RefusesADropoutThatIsNoProbability) {
  EXPECT_THAT(refusal({.dropout = 1.0}), HasSubstr("LoRA dropout is 1"));
}

}  // namespace
}  // namespace fedtune::peft
