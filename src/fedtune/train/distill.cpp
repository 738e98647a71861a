#include "fedtune/train/distill.h"

#include "fedtune/base/clock.h"

namespace fedtune::train {

TrainReport distill(const DistilledModels& models, std::span<const data::Example> pool,
                    std::span<const std::uint32_t> rows, const DistillOptions& options) {
  const Stopwatch watch;
  DistillPhase phase(models, {.phase = options.training.phase, .student_lr = options.student_lr, .loss = options.loss},
                     steps_of(rows, options.training));
  for_each_batch(pool, rows, options.training, [&phase](const data::PackedBatch& packed) { phase.step(packed); });
  TrainReport report = phase.report();
  report.seconds = watch.seconds();
  return report;
}

}  // namespace fedtune::train
