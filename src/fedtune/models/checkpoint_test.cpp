#include "fedtune/models/checkpoint.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "fedtune/base/temporary_folder.h"
#include "fedtune/models/edited_checkpoint.h"

namespace fedtune::models {
namespace {

using golden::EditedCheckpoint;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string without(const std::string& prefix, const std::string& name) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

void expect_same(const SequenceClassifier& a, const SequenceClassifier& b) {
  const auto left = a.parameters();
  const auto right = b.parameters();
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].name, right[i].name);
    EXPECT_TRUE(at::equal(left[i].tensor, right[i].tensor)) << left[i].name;
  }
}

TEST(Checkpoint, IsTheSameAfterSavingAndLoading) {
  for (const std::string kind : {"bert", "distilbert", "roberta"}) {
    const TemporaryFolder folder;
    const SequenceClassifier model = golden::load(kind);
    save_checkpoint(folder.path(), model);
    expect_same(load_checkpoint(folder.path(), {}).model, model);
  }
}

TEST(Checkpoint, ConvertsHalfPrecisionToFp32) {
  for (const auto& parameter : golden::load("bert").parameters()) EXPECT_EQ(parameter.tensor.scalar_type(), at::kFloat);
}

TEST(Checkpoint, MayLeaveOutThePrefix) {
  for (const std::string kind : {"bert", "distilbert", "roberta"}) {
    EditedCheckpoint edited(kind);
    edited.rename_all([&](const std::string& name) { return without(kind + ".", name); });
    expect_same(load_checkpoint(edited.write(), {}).model, golden::load(kind));
  }
}

TEST(Checkpoint, MayCallLayerNormWeightsGammaAndBeta) {
  EditedCheckpoint edited("bert");
  edited.rename_all([](std::string name) {
    for (const auto& [now, once] :
         {std::pair{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (name.ends_with(now)) name.replace(name.size() - std::string(now).size(), std::string::npos, once);
    }
    return name;
  });
  expect_same(load_checkpoint(edited.write(), {}).model, golden::load("bert"));
}

TEST(Checkpoint, SkipsPreTrainingHeadsAndSaysSo) {
  EditedCheckpoint bert("bert");
  bert.add("cls.predictions.bias", at::zeros({81}));
  bert.add("bert.embeddings.position_ids", at::arange(24));
  EXPECT_THAT(load_checkpoint(bert.write(), {}).skipped,
              ElementsAre("cls.predictions.bias", "bert.embeddings.position_ids"));
  EditedCheckpoint distilbert("distilbert");
  distilbert.add("vocab_transform.weight", at::zeros({32, 32}));
  EXPECT_THAT(load_checkpoint(distilbert.write(), {}).skipped, ElementsAre("vocab_transform.weight"));
  EditedCheckpoint roberta("roberta");
  roberta.add("lm_head.bias", at::zeros({310}));
  roberta.add("roberta.pooler.dense.weight", at::zeros({32, 32}));
  roberta.add("pooler.dense.bias", at::zeros({32}));
  EXPECT_THAT(load_checkpoint(roberta.write(), {}).skipped,
              ElementsAre("lm_head.bias", "roberta.pooler.dense.weight", "pooler.dense.bias"));
}

TEST(Checkpoint, DrawsRobertasWholeHead) {
  EditedCheckpoint edited("roberta");
  const std::vector<std::string> head{"classifier.dense.weight", "classifier.dense.bias", "classifier.out_proj.weight",
                                      "classifier.out_proj.bias"};
  for (const std::string& name : head) edited.remove(name);
  EXPECT_THAT(edited.refusal(), HasSubstr("no classifier.dense.weight"));
  const LoadedModel loaded = load_checkpoint(edited.write(), {.initialise_head = true, .num_labels = 3});
  EXPECT_TRUE(loaded.head_initialised);
  EXPECT_NEAR(loaded.model.head_dense.weight.weight.std().item<double>(), 0.02, 0.002);
  EXPECT_EQ(loaded.model.classifier.weight.weight.sizes(), at::IntArrayRef({3, 32}));
  std::vector<std::string> last;
  for (const auto& parameter : loaded.model.parameters()) last.push_back(parameter.name);
  last.erase(last.begin(), last.end() - 4);
  EXPECT_EQ(last, head);
}

TEST(Checkpoint, DrawsAMissingHeadFromTheSeed) {
  EditedCheckpoint edited("distilbert");
  for (const char* name : {"pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"}) {
    edited.remove(name);
  }
  const auto folder = edited.write();
  const auto drawn = [&](std::uint64_t seed) {
    return load_checkpoint(folder, {.initialise_head = true, .seed = seed, .num_labels = 3});
  };
  const LoadedModel loaded = drawn(1);
  EXPECT_TRUE(loaded.head_initialised);
  EXPECT_EQ(loaded.model.config.num_labels, 3);
  EXPECT_EQ(loaded.model.classifier.weight.weight.sizes(), at::IntArrayRef({3, 32}));
  EXPECT_TRUE(at::equal(loaded.model.classifier.weight.bias, at::zeros({3})));
  EXPECT_NEAR(loaded.model.head_dense.weight.weight.std().item<double>(), 0.02, 0.002);
  expect_same(drawn(1).model, loaded.model);
  EXPECT_FALSE(at::equal(drawn(2).model.classifier.weight.weight, loaded.model.classifier.weight.weight));
}

TEST(Checkpoint, KeepsThePoolerOfABertWithoutAHead) {
  EditedCheckpoint edited("bert");
  edited.remove("classifier.weight");
  edited.remove("classifier.bias");
  const LoadedModel loaded = load_checkpoint(edited.write(), {.initialise_head = true});
  EXPECT_TRUE(loaded.head_initialised);
  EXPECT_TRUE(at::equal(loaded.model.head_dense.weight.weight, golden::load("bert").head_dense.weight.weight));
}

TEST(Checkpoint, DrawsTheHeadOfABertWithoutAPooler) {
  EditedCheckpoint edited("bert");
  for (const char* name :
       {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"}) {
    edited.remove(name);
  }
  const LoadedModel loaded = load_checkpoint(edited.write(), {.initialise_head = true});
  EXPECT_NEAR(loaded.model.head_dense.weight.weight.std().item<double>(), 0.02, 0.002);
}

TEST(Checkpoint, WithoutAHeadIsRefusedWhereOneIsNeeded) {
  EditedCheckpoint edited("bert");
  edited.remove("classifier.weight");
  edited.remove("classifier.bias");
  EXPECT_THAT(edited.refusal(), AllOf(HasSubstr("no classification head"), HasSubstr("fine-tune it first")));
}

TEST(Checkpoint, WithHalfAHeadIsRefused) {
  EditedCheckpoint edited("distilbert");
  edited.remove("pre_classifier.weight");
  EXPECT_THAT(edited.refusal({.initialise_head = true}), HasSubstr("pre_classifier.weight [32, 32] is missing"));
  EditedCheckpoint no_pooler("bert");
  no_pooler.remove("bert.pooler.dense.weight");
  EXPECT_THAT(no_pooler.refusal({.initialise_head = true}), HasSubstr("bert.pooler.dense.weight [32, 32] is missing"));
}

TEST(Checkpoint, WithAnotherNumberOfClassesIsRefused) {
  EXPECT_THAT(EditedCheckpoint("bert").refusal({.num_labels = 3}), HasSubstr("tells 2 classes apart, the data has 3"));
}

TEST(Checkpoint, WithAMissingTensorIsRefusedWithTheNearestName) {
  EditedCheckpoint edited("bert");
  edited.rename("bert.encoder.layer.1.output.dense.bias", "bert.encoder.layer.1.output.dens.bias");
  EXPECT_THAT(edited.refusal(),
              AllOf(HasSubstr("loading "), HasSubstr("bert.encoder.layer.1.output.dense.bias [32] is missing"),
                    HasSubstr("the nearest name is bert.encoder.layer.1.output.dens.bias")));
}

TEST(Checkpoint, WithAnUnexpectedTensorIsRefusedWithTheNearestName) {
  EditedCheckpoint edited("distilbert");
  edited.add("distilbert.transformer.layer.2.ffn.lin1.bias", at::zeros({40}));
  EXPECT_THAT(edited.refusal(),
              AllOf(HasSubstr("model.safetensors: distilbert.transformer.layer.2.ffn.lin1.bias [40] is unexpected"),
                    HasSubstr("the nearest name is distilbert.transformer.layer.0.ffn.lin1.bias")));
}

TEST(Checkpoint, WithAMisshapenTensorIsRefused) {
  EditedCheckpoint edited("bert");
  edited.replace("bert.embeddings.word_embeddings.weight", at::zeros({80, 32}));
  EXPECT_THAT(edited.refusal(), HasSubstr("model.safetensors: bert.embeddings.word_embeddings.weight is F32 [80, 32], "
                                          "expected F32 [81, 32]"));
}

TEST(Checkpoint, WithATensorOfIntegersIsRefused) {
  EditedCheckpoint edited("bert");
  edited.replace("classifier.bias", at::zeros({2}, at::kLong));
  EXPECT_THAT(edited.refusal(), HasSubstr("classifier.bias is I64 [2], expected F32 [2]"));
}

TEST(Checkpoint, WithOneTensorUnderTwoNamesIsRefused) {
  EditedCheckpoint edited("bert");
  edited.add("embeddings.LayerNorm.gamma", at::zeros({32}));
  EXPECT_THAT(edited.refusal(), HasSubstr("are two tensors for bert.embeddings.LayerNorm.weight"));
}

TEST(Checkpoint, OfAFolderThatIsNotThereIsRefused) {
  EXPECT_THROW(load_checkpoint("/nowhere/at/all", {}), Error);
}

TEST(Checkpoint, OfAPickleIsRefusedWithTheConversion) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.json", load_json(golden::folder("bert") / "config.json").dump());
  write_file_atomically(folder.path() / "pytorch_model.bin", "pickle");
  try {
    load_checkpoint(folder.path(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("pytorch_model.bin"));
  }
}

TEST(Checkpoint, FrozenNeedsNoGradient) {
  SequenceClassifier model = trainable_copy(golden::load("bert"));
  freeze_all(model);
  for (const auto& parameter : model.parameters()) EXPECT_FALSE(parameter.tensor.requires_grad()) << parameter.name;
}

TEST(Checkpoint, ATrainableCopySharesNoMemory) {
  const SequenceClassifier model = golden::load("bert");
  const SequenceClassifier copy = trainable_copy(model);
  const auto ours = model.parameters();
  const auto theirs = copy.parameters();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(theirs[i].tensor.requires_grad() && theirs[i].tensor.is_leaf()) << theirs[i].name;
    EXPECT_NE(ours[i].tensor.const_data_ptr(), theirs[i].tensor.const_data_ptr()) << theirs[i].name;
  }
}

}  // namespace
}  // namespace fedtune::models
