#include "fedtune/worker/client_worker.h"

#include <thread>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/train/test_support.h"

namespace fedtune::worker {
namespace {

using train::StudentTemplate;
using train::Trained;
using train::testing::same_bits;
using train::testing::tiny_student;
using train::testing::tiny_task;

const std::function<bool()> never = [] { return false; };

// Two clients with 20 and 13 sentences of one pool.
class ClientWorkerFor : public ::testing::TestWithParam<Trained> {
 protected:
  Shares shares() const {
    Shares shares{.examples = pool_, .rows = {{}, {}}};
    for (std::uint32_t row = 0; row < 33; ++row) shares.rows[row < 20 ? 0 : 1].push_back(row);
    return shares;
  }
  ClientWorker worker(WeightBy weight_by = WeightBy::batches) const {
    return {student_, shares(), {.lr = 5e-3, .epochs = 2, .batch_size = 8, .weight_by = weight_by, .seed = 1}};
  }
  fed::Instruction instruction(int rank, int round = 1) const { return {round, rank, student_->initial()}; }

  std::vector<data::Example> pool_ = tiny_task(33);
  std::shared_ptr<const StudentTemplate> student_ = std::make_shared<StudentTemplate>(tiny_student(GetParam()));
};

TEST_P(ClientWorkerFor, SendsTrainedTensorsInTheLayout) {
  const fed::Update update = worker().train(instruction(1), never);
  EXPECT_EQ(layout_of(update.tensors), student_->layout());
  EXPECT_FALSE(same_bits(update.tensors, student_->initial()));
  EXPECT_EQ(update.rank, 1);
  EXPECT_EQ(update.round, 1);
}

TEST_P(ClientWorkerFor, LeavesTheGlobalTensorsAlone) {
  const fed::Instruction given = instruction(1);
  worker().train(given, never);
  EXPECT_TRUE(same_bits(given.global, student_->initial()));
}

TEST_P(ClientWorkerFor, WeighsAShareByItsBatchesWhateverTheEpochs) {
  const fed::Update update = worker().train(instruction(2), never);
  EXPECT_EQ(update.weight, 2.0);  // 13 sentences in batches of 8
  EXPECT_EQ(update.report.batches, 4);
  EXPECT_EQ(update.report.sentences, 26);
}

TEST_P(ClientWorkerFor, WeighsAShareByItsSentencesWhenAsked) {
  EXPECT_EQ(worker(WeightBy::sentences).train(instruction(2), never).weight, 13.0);
}

TEST_P(ClientWorkerFor, DependsOnTheInstructionAlone) {
  ClientWorker fresh = worker();
  const fed::Update expected = fresh.train(instruction(2), never);
  ClientWorker used = worker();
  used.train(instruction(1), never);
  used.train(instruction(2, 5), never);
  EXPECT_TRUE(same_bits(used.train(instruction(2), never).tensors, expected.tensors));
}

TEST_P(ClientWorkerFor, GivesTheSameBitsFromConcurrentThreads) {
  ClientWorker shared = worker();
  const fed::Update first = shared.train(instruction(1), never);
  const fed::Update second = shared.train(instruction(2), never);
  fed::Update first_again;
  fed::Update second_again;
  std::thread one([&] { first_again = shared.train(instruction(1), never); });
  std::thread two([&] { second_again = shared.train(instruction(2), never); });
  one.join();
  two.join();
  EXPECT_TRUE(same_bits(first_again.tensors, first.tensors));
  EXPECT_TRUE(same_bits(second_again.tensors, second.tensors));
}

TEST_P(ClientWorkerFor, DrawsAnewEveryRound) {
  ClientWorker client = worker();
  EXPECT_FALSE(
      same_bits(client.train(instruction(1, 1), never).tensors, client.train(instruction(1, 2), never).tensors));
}

TEST_P(ClientWorkerFor, StopsWhenAsked) {
  EXPECT_THROW(worker().train(instruction(1), [] { return true; }), Interrupted);
}

TEST_P(ClientWorkerFor, RefusesARankWithoutAShare) {
  EXPECT_THROW(worker().train(instruction(0), never), Error);
  EXPECT_THROW(worker().train(instruction(3), never), Error);
}

TEST_P(ClientWorkerFor, RefusesAnEmptyShare) {
  Shares shares = this->shares();
  shares.rows[1].clear();
  EXPECT_THROW(ClientWorker(student_, shares, {}), Error);
}

INSTANTIATE_TEST_SUITE_P(BothSchemes, ClientWorkerFor, ::testing::Values(Trained::all_parameters, Trained::adapters),
                         [](const auto& info) {
                           return info.param == Trained::adapters ? "Adapters" : "AllParameters";
                         });

}  // namespace
}  // namespace fedtune::worker
