// A loss of one's own: label smoothing (Szegedy et al. 2016), in the local rounds of a federation.
//
//   own_loss MODEL DATA      a BERT or DistilBERT checkpoint; a folder with train.tsv and validation.tsv
#include <iostream>

#include <ATen/ATen.h>

#include "fedtune/cli/controls.h"
#include "fedtune/cli/make_strategy.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/nn/thread.h"
#include "fedtune/train/device_batch.h"
#include "fedtune/train/trained_leaves.h"
#include "fedtune/train/trainer.h"

using namespace fedtune;

at::Tensor smoothed(const at::Tensor& logits, const at::Tensor& labels, double e) {
  const at::Tensor losses = -at::log_softmax(logits, 1);  // [sentences, classes]; e spreads over all classes
  return (1 - e) * losses.gather(1, labels.unsqueeze(1)).mean() + e * losses.mean();
}

class SmoothClients final : public fed::LocalTask {
 public:
  SmoothClients(const cli::Options& options, const cli::Federation& federation)
      : client_(cli::client_options(options)), student_(federation.student), shares_(cli::shares_of(federation)) {}

  fed::Update train(const fed::Instruction& asked, const std::function<bool()>& /*stop*/) override {
    nn::prepare_worker_thread();
    const std::vector<std::uint32_t>& rows = shares_.rows[static_cast<std::size_t>(asked.rank - 1)];
    const train::TrainOptions options = worker::train_options(client_, {.round = asked.round, .rank = asked.rank});
    models::SequenceClassifier model = student_->for_training(asked.global);
    train::AdamW optimizer(train::trained_leaves(model), options.phase.optimizer);
    StreamKey place = options.phase.place;
    place.purpose = Purpose::dropout;
    fed::ClientReport report;
    train::for_each_batch(shares_.examples, rows, options, [&](const data::PackedBatch& packed) {
      const models::Batch batch = train::to_batch(packed, model);
      place.step = static_cast<std::uint32_t>(report.batches++);
      const at::Tensor logits = model.forward(batch, {.training = true, .place = place}).logits;
      smoothed(logits, batch.labels, 0.1).backward();
      optimizer.step(options.phase.optimizer.lr);
      report.sentences += packed.sentences();
    });
    return {.round = asked.round,
            .rank = asked.rank,
            .tensors = student_->travelling(model),
            .weight = static_cast<double>(report.batches),
            .report = report};
  }

 private:
  worker::ClientOptions client_;
  std::shared_ptr<const train::StudentTemplate> student_;
  worker::Shares shares_;
};

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: own_loss MODEL DATA\n", 2;
  cli::Options options{.federation = {.scheme = cli::Scheme::fedlora, .num_clients = 2, .num_rounds = 3},
                       .models = {.client_ckpt = argv[1]},
                       .data = {.data_path = argv[2]},
                       .training = {.client_lr = 4e-3}};
  options = cli::resolve_for_run(options);
  const auto federation = cli::load_federation(options);
  const auto strategy = cli::make_strategy(options, *federation, {});
  SmoothClients clients(options, *federation);
  fed::InProcessTransport transport(clients, cli::workers_of(options));
  fed::Engine({.rounds = 3, .clients = 2}, {.strategy = *strategy, .transport = transport},
              {.on_round =
                   [](const fed::RoundRecord& record) {
                     std::cout << "round " << record.round << ": accuracy " << record.evaluation.accuracy << '\n';
                   }})
      .run();
} catch (const std::exception& error) {
  return std::cerr << "own_loss: " << error.what() << '\n', 1;
}
