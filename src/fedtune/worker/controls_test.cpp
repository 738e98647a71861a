#include "fedtune/worker/controls.h"

#include <gtest/gtest.h>

#include "fedtune/train/test_support.h"

namespace fedtune::worker {
namespace {

using train::StudentTemplate;
using train::Trained;
using train::testing::tiny_student;
using train::testing::tiny_task;

class Controls : public ::testing::Test {
 protected:
  ControlOptions options(int workers = 1) const {
    return {.client = {.lr = 5e-3, .epochs = 2, .batch_size = 8, .seed = 1},
            .rounds = 3,
            .validation = validation_,
            .evaluate = {.batch_size = 8, .workers = workers}};
  }

  std::vector<data::Example> pool_ = tiny_task(30);
  std::vector<data::Example> validation_ = tiny_task(25, 2);
  StudentTemplate student_ = tiny_student(Trained::adapters);
  Shares shares_{.examples = pool_, .rows = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {10, 11, 12, 13, 14}, {15, 16, 17, 18}}};
};

TEST_F(Controls, CentralScoresOncePerRound) {
  const auto scores = train_central(student_, shares_, options());
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_NE(scores[0].loss, scores[2].loss);
  EXPECT_EQ(scores[0].sentences, 25);
}

TEST_F(Controls, CentralDoesAllTheEpochsOfTheFederation) {
  std::int64_t steps = 0;
  ControlOptions counted = options();
  counted.client.on_step = [&](int, std::int64_t, double) { ++steps; };
  train_central(student_, shares_, counted);
  EXPECT_EQ(steps, 3 * 2 * 3);  // 19 sentences are 3 batches; 3 rounds of 2 epochs
}

TEST_F(Controls, CentralDoesNotDependOnHowTheUnionIsShared) {
  Shares pooled = shares_;
  for (std::size_t client : {1u, 2u}) {
    pooled.rows[0].insert(pooled.rows[0].end(), pooled.rows[client].begin(), pooled.rows[client].end());
  }
  pooled.rows.resize(1);
  EXPECT_EQ(train_central(student_, shares_, options()).back().loss,
            train_central(student_, pooled, options()).back().loss);
}

TEST_F(Controls, LocalOnlyScoresEveryClientsOwnModel) {
  const LocalOnly result = train_local_only(student_, shares_, options());
  ASSERT_EQ(result.clients.size(), 3u);
  EXPECT_NE(result.clients[0].loss, result.clients[1].loss);
  EXPECT_NEAR(result.mean.loss, (result.clients[0].loss + result.clients[1].loss + result.clients[2].loss) / 3.0,
              1e-12);
}

TEST_F(Controls, LocalOnlyGivesTheSameForAnyNumberOfWorkers) {
  const LocalOnly one = train_local_only(student_, shares_, options(1));
  const LocalOnly two = train_local_only(student_, shares_, options(2));
  for (std::size_t client = 0; client < 3; ++client) EXPECT_EQ(one.clients[client].loss, two.clients[client].loss);
}

}  // namespace
}  // namespace fedtune::worker
