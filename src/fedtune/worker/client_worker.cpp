#include "fedtune/worker/client_worker.h"

#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/nn/thread.h"

namespace fedtune::worker {
namespace {

fed::ClientReport report_of(const train::TrainReport& trained) {
  return {.sentences = trained.sentences,
          .batches = trained.steps,
          .tokens = trained.tokens,
          .loss = trained.mean_loss,
          .seconds = trained.seconds};
}

}  // namespace

train::TrainOptions train_options(const ClientOptions& options, const LocalPhase& phase) {
  train::TrainOptions training{.epochs = options.epochs, .batch_size = options.batch_size, .threads = options.threads};
  training.phase.optimizer.lr = options.lr;
  training.phase.place = {.seed = options.seed,
                          .role = ModelRole::student,
                          .round = static_cast<std::uint32_t>(phase.round),
                          .rank = static_cast<std::uint32_t>(phase.rank)};
  if (options.on_step) {
    training.phase.on_step = [on_step = options.on_step, rank = phase.rank](std::int64_t step, double loss) {
      on_step(rank, step, loss);
    };
  }
  return training;
}

ClientWorker::ClientWorker(std::shared_ptr<const train::StudentTemplate> student, Shares shares, ClientOptions options)
    : student_(std::move(student)), shares_(std::move(shares)), options_(std::move(options)) {
  for (std::size_t index = 0; index < shares_.rows.size(); ++index) {
    if (shares_.rows[index].empty()) throw input_error("client {}: its share has no sentences", index + 1);
  }
}

double ClientWorker::weight(std::size_t sentences) const {
  if (options_.weight_by == WeightBy::sentences) return static_cast<double>(sentences);
  const auto batch = static_cast<std::size_t>(options_.batch_size);
  return static_cast<double>((sentences + batch - 1) / batch);
}

fed::Update ClientWorker::train(const fed::Instruction& instruction, const std::function<bool()>& stop) {
  if (instruction.rank < 1 || static_cast<std::size_t>(instruction.rank) > shares_.rows.size()) {
    throw failed("training client {}: there are clients 1 .. {}", instruction.rank, shares_.rows.size());
  }
  nn::prepare_worker_thread();
  const std::vector<std::uint32_t>& rows = shares_.rows[static_cast<std::size_t>(instruction.rank - 1)];
  train::TrainOptions training = train_options(options_, {.round = instruction.round, .rank = instruction.rank});
  training.phase.stop = stop;
  models::SequenceClassifier model = student_->for_training(instruction.global);
  const train::TrainReport trained = train::train(model, shares_.examples, rows, training);
  return {.round = instruction.round,
          .rank = instruction.rank,
          .tensors = student_->travelling(model),
          .weight = weight(rows.size()),
          .report = report_of(trained)};
}

}  // namespace fedtune::worker
