// What a training step takes of the system once those before it have run: nothing.
#include <numeric>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "fedtune/base/memory.h"
#include "fedtune/nn/thread.h"
#include "fedtune/train/phase.h"
#include "fedtune/train/test_support.h"

namespace fedtune::train {
namespace {
// Sanitizers have a malloc of their own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// Pages of memory that this thread has been the first to touch.
std::int64_t page_faults() {
  struct rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

// Its tensors of a step are large enough for malloc to map them one by one.
models::SequenceClassifier wide_model() {
  return testing::random_model({{"model_type", "distilbert"},
                                {"vocab_size", 40},
                                {"dim", 128},
                                {"n_layers", 2},
                                {"n_heads", 2},
                                {"hidden_dim", 512},
                                {"max_position_embeddings", 12}});
}

class SteadyState : public ::testing::TestWithParam<Trained> {};

TEST_P(SteadyState, AStepTakesNoMemoryFromTheSystem) {
  keep_freed_memory();  // as the program does
  nn::prepare_worker_thread();
  const StudentTemplate student(wide_model(), {.trained = GetParam(), .lora = {.r = 4}});
  models::SequenceClassifier model = student.for_training(student.initial());
  const std::vector<data::Example> examples = testing::tiny_task(100);
  std::vector<std::uint32_t> rows(examples.size());
  std::iota(rows.begin(), rows.end(), 0u);
  const data::PackedBatch batch = data::pack(examples, rows);

  // Never where tensors are mapped one by one (mallopt's M_MMAP_THRESHOLD at 128 kB).
  constexpr int most_steps = 300, wanted = 10;
  Phase phase(model, {}, most_steps);
  int without_faults = 0;  // one after the other
  for (int step = 0; step < most_steps && without_faults < wanted; ++step) {
    const std::int64_t before = page_faults();
    phase.step(batch);
    without_faults = page_faults() == before ? without_faults + 1 : 0;
  }
  EXPECT_EQ(without_faults, wanted);
}

INSTANTIATE_TEST_SUITE_P(BothSchemes, SteadyState, ::testing::Values(Trained::all_parameters, Trained::adapters),
                         [](const auto& info) {
                           return info.param == Trained::adapters ? "Adapters" : "AllParameters";
                         });

#endif

}  // namespace
}  // namespace fedtune::train
