// One client's local round: build its model from the global tensors, train on its share, send back what was trained.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fedtune/data/batch.h"
#include "fedtune/fed/local_task.h"
#include "fedtune/train/student.h"
#include "fedtune/train/trainer.h"
#include "fedtune/worker/weight_by.h"

namespace fedtune::worker {

// The rows of each client in a pool of examples that all share; client k owns rows[k - 1]. `examples` must outlive the
// users of the shares.
struct Shares {
  std::span<const data::Example> examples;
  std::vector<std::vector<std::uint32_t>> rows;
};

struct ClientOptions {
  double lr = 5e-5;     // constant within a round
  int epochs = 1;       // over the share, per round
  int batch_size = 32;  // sentences
  int threads = 1;      // of one client's arithmetic, at least; the result does not depend on them
  WeightBy weight_by = WeightBy::batches;
  std::uint64_t seed = 0;  // of the run
  // Called after each step, from the training thread, where set: live progress.
  std::function<void(int rank, std::int64_t step, double loss)> on_step = {};
};

class ClientWorker final : public fed::LocalTask {
 public:
  // Throws Error(input) when a client's share is empty.
  ClientWorker(std::shared_ptr<const train::StudentTemplate> student, Shares shares, ClientOptions options);

  // Thread-safe. Computes on the calling thread alone.
  fed::Update train(const fed::Instruction& instruction, const std::function<bool()>& stop) override;

 private:
  double weight(std::size_t sentences) const;

  std::shared_ptr<const train::StudentTemplate> student_;
  Shares shares_;
  ClientOptions options_;
};

struct LocalPhase {
  int round = 0;
  int rank = 0;
};
// How a client trains in one round: also what the controls run.
train::TrainOptions train_options(const ClientOptions& options, const LocalPhase& phase);

}  // namespace fedtune::worker
