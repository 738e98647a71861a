#include "fedtune/cli/controls.h"

#include <fmt/format.h>

#include "fedtune/base/interrupt.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/worker/controls.h"

namespace fedtune::cli {
namespace {

report::Control control(std::string name, int rounds, const train::Scores& scores) {
  return {.name = std::move(name),
          .metrics = {.round = rounds,
                      .loss = scores.loss,
                      .reference_loss = scores.reference_loss,
                      .accuracy = scores.accuracy,
                      .mcc = scores.mcc,
                      .f1 = scores.f1,
                      .teacher = std::nullopt}};
}

}  // namespace

train::EvaluateOptions evaluate_options(const Options& options) {
  return {.batch_size = options.training.batch_size, .workers = workers_of(options)};
}

worker::ClientOptions client_options(const Options& options) {
  return {.lr = options.training.client_lr,
          .epochs = options.training.client_epochs,
          .batch_size = options.training.batch_size,
          .weight_by = options.federation.weight_by,
          .seed = options.training.seed};
}

worker::Shares shares_of(const Federation& federation) {
  return {.examples = federation.data.train, .rows = federation.partition.clients};
}

std::vector<report::Control> run_controls(const Options& options, const Federation& federation,
                                          report::Progress& progress) {
  const worker::Shares shares = shares_of(federation);
  const worker::ControlOptions settings{.client = client_options(options),
                                        .rounds = options.federation.num_rounds,
                                        .validation = federation.data.validation,
                                        .evaluate = evaluate_options(options),
                                        .stop = [] { return interrupt_signal() != 0; }};
  const int rounds = settings.rounds;
  progress.print_line("control: one party with all shares");
  std::vector<report::Control> controls{
      control("centralised", rounds, worker::train_central(*federation.student, shares, settings).back())};
  progress.print_line("control: each client alone");
  const worker::LocalOnly local = worker::train_local_only(*federation.student, shares, settings);
  controls.push_back(control("local", rounds, local.mean));
  for (std::size_t i = 0; i < local.clients.size(); ++i) {
    controls.push_back(control(fmt::format("local-{}", i + 1), rounds, local.clients[i]));
  }
  return controls;
}

}  // namespace fedtune::cli
