#include "fedtune/peft/adapter_folder.h"

#include <algorithm>
#include <functional>

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/models/golden_fixture.h"

namespace fedtune::peft {
namespace {

using models::SequenceClassifier;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
namespace golden = models::golden;

models::Batch batch_of(const SequenceClassifier& model, golden::Range range) {
  return golden::pack(golden::sentences(), range, model.config);
}

class PeftAdapter : public testing::TestWithParam<std::string> {
 protected:
  PeftAdapter() {
    models::freeze_all(model_);
    config_ = load_adapter(golden::folder(GetParam()) / "adapter", model_);
  }
  SequenceClassifier model_ = golden::load(GetParam());
  LoraConfig config_;
  const golden::Expected expected_{GetParam()};
};

TEST_P(PeftAdapter, ScoresAsItDoesInPeft) {
  EXPECT_EQ(config_.r, 4);
  EXPECT_EQ(config_.train_head, TrainHead::full);
  const auto logits = model_.forward(batch_of(model_, {0, golden::sentences().size()}), {}).logits;
  EXPECT_LT(golden::max_difference(logits, expected_["lora.logits"]), 2e-5);
}

TEST_P(PeftAdapter, HasTheGradientsOfPeft) {
  golden::loss_of(model_, batch_of(model_, {0, golden::batch_size})).backward();
  for (const auto& [name, tensor] : adapter_parameters(model_, config_)) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_LT(golden::relative_difference(tensor.grad(), expected_["lora.gradient." + name]), 1e-4) << name;
  }
}

TEST_P(PeftAdapter, HasTheSameGradientsPrunedAndUnprunedWithDropout) {
  const auto gradients = [&](bool prune) {
    for (const auto& parameter : adapter_parameters(model_, config_)) parameter.tensor.mutable_grad().reset();
    const models::ForwardOptions options{
        .training = true, .place = {.seed = 3, .purpose = Purpose::dropout}, .prune_last_layer = prune};
    golden::loss_of(model_, batch_of(model_, {0, golden::batch_size}), options).backward();
    std::vector<at::Tensor> all;
    for (const auto& parameter : adapter_parameters(model_, config_)) all.push_back(parameter.tensor.grad().clone());
    return all;
  };
  const auto pruned = gradients(true);
  const auto whole = gradients(false);
  for (std::size_t i = 0; i < pruned.size(); ++i) EXPECT_LT(golden::relative_difference(pruned[i], whole[i]), 1e-4);
}

TEST_P(PeftAdapter, ScoresTheSameAfterSavingAndLoading) {
  const TemporaryFolder folder;
  save_adapter(folder.path(), model_, config_, "base");
  SequenceClassifier again = golden::load(GetParam());
  const LoraConfig found = load_adapter(folder.path(), again);
  EXPECT_EQ(found.r, config_.r);
  EXPECT_EQ(found.alpha, config_.alpha);
  EXPECT_EQ(found.target_modules, config_.target_modules);
  EXPECT_EQ(found.train_head, TrainHead::full);
  const auto ours = adapter_parameters(model_, config_);
  const auto theirs = adapter_parameters(again, found);
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_TRUE(at::equal(ours[i].tensor, theirs[i].tensor)) << ours[i].name;
}

INSTANTIATE_TEST_SUITE_P(, PeftAdapter, testing::Values("bert", "distilbert", "roberta"),
                         [](const auto& instance) { return instance.param; });

// A model with an adapter whose every tensor differs from its start.
SequenceClassifier adapted(const std::string& kind, const LoraConfig& config) {
  SequenceClassifier model = golden::load(kind);
  inject(model, config, 1);
  for (const auto& parameter : adapter_parameters(model, config)) at::Tensor(parameter.tensor.detach()).add_(0.03);
  return model;
}

TEST(AdapterFolder, NamesTheModuleInWhichRobertasHeadLies) {
  const TemporaryFolder folder;
  const LoraConfig config{.r = 2};
  save_adapter(folder.path(), adapted("roberta", config), config, "base");
  const json saved = load_json(folder.path() / "adapter_config.json");
  EXPECT_EQ(saved["modules_to_save"], json({"classifier"}));
}

TEST(AdapterFolder, HoldsALowRankHeadMerged) {
  const TemporaryFolder folder;
  const LoraConfig config{.r = 2, .train_head = TrainHead::low_rank};
  const SequenceClassifier model = adapted("distilbert", config);
  save_adapter(folder.path(), model, config, "base");
  SequenceClassifier again = golden::load("distilbert");
  EXPECT_EQ(load_adapter(folder.path(), again).train_head, TrainHead::full);
  const auto batch = batch_of(model, {0, 8});
  EXPECT_LT(golden::max_difference(again.forward(batch, {}).logits, model.forward(batch, {}).logits), 2e-5);
}

TEST(AdapterFolder, MayHoldNoHead) {
  const TemporaryFolder folder;
  const LoraConfig config{.r = 2, .train_head = TrainHead::none};
  const SequenceClassifier model = adapted("bert", config);
  save_adapter(folder.path(), model, config, "base");
  SequenceClassifier again = golden::load("bert");
  EXPECT_EQ(load_adapter(folder.path(), again).train_head, TrainHead::none);
  const auto batch = batch_of(model, {0, 8});
  EXPECT_LT(golden::max_difference(again.forward(batch, {}).logits, model.forward(batch, {}).logits), 2e-5);
}

TEST(AdapterFolder, LeavesTheModelAloneWhenRefused) {
  SequenceClassifier model = golden::load("distilbert");
  EXPECT_THROW(load_adapter(golden::folder("bert") / "adapter", model), Error);
  EXPECT_FALSE(model.layers[0].query.lora.has_value());
}

// Refusals: the committed adapter of the BERT, changed before it is read.
class ChangedAdapter {
 public:
  json config = load_json(golden::folder("bert") / "adapter" / "adapter_config.json");
  io::Parameters tensors =
      io::parameters_from(load_safetensors(golden::folder("bert") / "adapter" / "adapter_model.safetensors").tensors);

  at::Tensor& tensor(const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; })->tensor;
  }
  void remove(const std::string& name) {
    std::erase_if(tensors, [&](const auto& t) { return t.name == name; });
  }
  std::string refusal() const {
    const TemporaryFolder folder;
    write_file_atomically(folder.path() / "adapter_config.json", config.dump());
    save_safetensors(folder.path() / "adapter_model.safetensors", io::named_tensors_from(tensors));
    SequenceClassifier model = golden::load("bert");
    try {
      load_adapter(folder.path(), model);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "accepted";
  }
};

// The message with which a changed adapter_config.json is refused.
std::string refusal_with(const json& change) {
  ChangedAdapter adapter;
  adapter.config.merge_patch(change);
  return adapter.refusal();
}

constexpr const char* query_a = "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight";

TEST(AdapterFolder, RefusesAnotherMethod) {
  EXPECT_THAT(refusal_with({{"peft_type", "IA3"}}), HasSubstr("peft_type is \"IA3\", expected \"LORA\""));
}

TEST(AdapterFolder, RefusesAnotherTask) {
  EXPECT_THAT(refusal_with({{"task_type", "CAUSAL_LM"}}),
              HasSubstr("task_type is \"CAUSAL_LM\", expected \"SEQ_CLS\""));
}

TEST(AdapterFolder, RefusesOptionsThatChangeTheArithmetic) {
  EXPECT_THAT(refusal_with({{"use_dora", true}}), HasSubstr("use_dora is true, which is not supported"));
  EXPECT_THAT(refusal_with({{"use_rslora", true}}), HasSubstr("use_rslora is true"));
  EXPECT_THAT(refusal_with({{"lora_bias", true}}), HasSubstr("lora_bias is true"));
  EXPECT_THAT(refusal_with({{"fan_in_fan_out", true}}), HasSubstr("fan_in_fan_out is true"));
  EXPECT_THAT(refusal_with({{"rank_pattern", {{"query", 2}}}}), HasSubstr("rank_pattern is {\"query\":2}"));
  EXPECT_THAT(refusal_with({{"layers_to_transform", {0}}}), HasSubstr("layers_to_transform is [0]"));
  EXPECT_THAT(refusal_with({{"an_option_of_tomorrow", 3}}), HasSubstr("an_option_of_tomorrow is 3"));
}

TEST(AdapterFolder, RefusesTrainedBiases) {
  EXPECT_THAT(refusal_with({{"bias", "all"}}), HasSubstr("bias is \"all\", expected \"none\""));
}

TEST(AdapterFolder, RefusesStartsThatChangeTheBase) {
  EXPECT_THAT(refusal_with({{"init_lora_weights", "pissa"}}), HasSubstr("init_lora_weights is \"pissa\""));
}

TEST(AdapterFolder, RefusesAPatternOfTargets) {
  EXPECT_THAT(refusal_with({{"target_modules", ".*query"}}), HasSubstr("target_modules is the pattern"));
  EXPECT_THAT(refusal_with({{"target_modules", json::array()}}), HasSubstr("target_modules is empty"));
}

TEST(AdapterFolder, RefusesTargetsThatTheModelLacks) {
  EXPECT_THAT(refusal_with({{"target_modules", {"q_lin"}}}), HasSubstr("\"q_lin\" matches no linear layer"));
}

TEST(AdapterFolder, RefusesNumbersOutOfRange) {
  EXPECT_THAT(refusal_with({{"r", 0}}), HasSubstr("r is 0"));
  EXPECT_THAT(refusal_with({{"lora_alpha", -1}}), HasSubstr("lora_alpha is -1"));
  EXPECT_THAT(refusal_with({{"lora_dropout", 1.5}}), HasSubstr("lora_dropout is 1.5"));
}

TEST(AdapterFolder, RefusesAMissingTensorWithTheNearestName) {
  ChangedAdapter adapter;
  adapter.remove(query_a);
  EXPECT_THAT(adapter.refusal(), AllOf(HasSubstr(query_a), HasSubstr("[4, 32] is missing"), HasSubstr("nearest name")));
}

TEST(AdapterFolder, RefusesHalfAHead) {
  ChangedAdapter adapter;
  adapter.remove("base_model.model.classifier.bias");
  EXPECT_THAT(adapter.refusal(), HasSubstr("base_model.model.classifier.bias [2] is missing"));
}

TEST(AdapterFolder, RefusesAnUnexpectedTensor) {
  ChangedAdapter adapter;
  adapter.tensors.push_back({"base_model.model.bert.pooler.dense.weight", at::zeros({32, 32})});
  EXPECT_THAT(adapter.refusal(), HasSubstr("base_model.model.bert.pooler.dense.weight [32, 32] is unexpected"));
}

TEST(AdapterFolder, RefusesAMisshapenTensor) {
  ChangedAdapter adapter;
  adapter.tensor(query_a) = at::zeros({3, 32});
  EXPECT_THAT(adapter.refusal(), HasSubstr("is F32 [3, 32], expected F32 [4, 32]"));
}

TEST(AdapterFolder, RefusesAPickle) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "adapter_config.json", ChangedAdapter().config.dump());
  write_file_atomically(folder.path() / "adapter_model.bin", "pickle");
  SequenceClassifier model = golden::load("bert");
  EXPECT_THROW(load_adapter(folder.path(), model), Error);
}

}  // namespace
}  // namespace fedtune::peft
