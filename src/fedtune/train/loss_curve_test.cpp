// Twenty AdamW steps without dropout, against what transformers, peft and torch made of the same batches
// (tests/golden).
#include <string>

#include <gtest/gtest.h>

#include "fedtune/models/golden_fixture.h"
#include "fedtune/nn/ops.h"
#include "fedtune/peft/adapter_folder.h"
#include "fedtune/train/phase.h"

namespace fedtune::train {
namespace {

namespace golden = models::golden;

std::vector<data::PackedBatch> golden_batches(const models::ModelConfig& config) {
  const auto sentences = golden::sentences();
  std::vector<data::PackedBatch> batches;
  for (std::size_t first = 0; first < sentences.size(); first += golden::batch_size) {
    std::vector<data::Example> examples;
    std::vector<std::uint32_t> order;
    std::vector<std::int32_t> type_ids;
    for (std::size_t s = first; s < std::min(first + golden::batch_size, sentences.size()); ++s) {
      order.push_back(static_cast<std::uint32_t>(examples.size()));
      examples.push_back({.ids = sentences[s].ids, .label = sentences[s].label});
      type_ids.insert(type_ids.end(), sentences[s].type_ids.begin(), sentences[s].type_ids.end());
    }
    batches.push_back(data::pack(examples, order));
    if (config.type_vocab_size > 1) std::copy(type_ids.begin(), type_ids.end(), batches.back().type_ids.begin());
  }
  return batches;
}

void expect_curve(models::SequenceClassifier& model, double lr, const at::Tensor& expected) {
  const auto batches = golden_batches(model.config);
  ASSERT_EQ(expected.numel(), 20);
  Phase phase(model, {.optimizer = {.lr = lr}, .dropout = false}, 20);
  for (std::size_t step = 0; step < 20; ++step) {
    const double wanted = expected[static_cast<std::int64_t>(step)].item<double>();
    EXPECT_NEAR(phase.step(batches[step % batches.size()]), wanted, 1e-4) << "step " << step;
  }
}

class LossCurve : public ::testing::TestWithParam<std::string> {
 protected:
  void expect_all_parameters() {
    models::SequenceClassifier model = models::trainable_copy(golden::load(GetParam()));
    expect_curve(model, 1e-3, golden::Expected(GetParam())["loss_curve"]);
  }
  void expect_adapters() {
    models::SequenceClassifier model = golden::load(GetParam());
    models::freeze_all(model);
    peft::load_adapter(golden::folder(GetParam()) / "adapter", model);
    expect_curve(model, 5e-3, golden::Expected(GetParam())["lora.loss_curve"]);
  }
};

TEST_P(LossCurve, OfAllParametersFollowsTheReference) {
  expect_all_parameters();
}
TEST_P(LossCurve, OfAdaptersAndHeadFollowsTheReference) {
  expect_adapters();
}

TEST_P(LossCurve, OfThePlainOperationsFollowsTheReference) {
  const nn::PlainScope plain;
  expect_all_parameters();
  expect_adapters();
}

INSTANTIATE_TEST_SUITE_P(Models, LossCurve, ::testing::Values("bert", "distilbert", "roberta"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fedtune::train
