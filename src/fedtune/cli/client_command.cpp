#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/drill/drilled_task.h"
#include "fedtune/cli/enrolment.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/step_profile.h"
#include "fedtune/cli/tls_options.h"
#include "fedtune/cli/version.h"
#include "fedtune/net/client.h"
#include "fedtune/net/fleet_node.h"
#include "fedtune/net/join_client.h"
#include "fedtune/strategy/fedavg.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::cli {
namespace {

constexpr double default_wait = 60.0;  // seconds to go on trying a server that is not reached

void require_addressed(const NetworkOptions& network) {
  if (network.server.empty() && network.superlink.empty()) {
    throw usage_error(
        "client: which server? give --server HOST:PORT, or --superlink HOST:PORT for a Flower deployment");
  }
  if (!network.server.empty() && !network.superlink.empty()) {
    throw usage_error("--server and --superlink: a client is of one federation; give one of them");
  }
  if (network.rank < 1) throw usage_error("client: which client is this? give --rank 1 to the number of clients");
}

// What client and server must have in common before a sentence is read.
void require_same_model(const Federation& federation, const net::Announcement& announced, const Options& options) {
  if (federation.checkpoint_sha256 != announced.checkpoint_sha256) {
    throw input_error(
        "{}: its weights are not the server's (SHA-256 {}, the server has {}); give the same checkpoint with "
        "--client-ckpt",
        options.models.client_ckpt, federation.checkpoint_sha256, announced.checkpoint_sha256);
  }
  if (federation.student->layout() != announced.layout) {
    throw input_error("{}: its tensors are not those the server averages; do both read the same kind of data?",
                      options.models.client_ckpt);
  }
}

net::ClientWatch watch_of(const std::string& server) {
  return {
      .on_instruction = [](int round) { log_debug("round {}: training", round); },
      .on_sent =
          [](const fed::Update& update) {
            log_info("round {}  {} sentences in {:.1f} s  loss {:.4f}", update.round, update.report.sentences,
                     update.report.seconds, update.report.loss);
          },
      .on_refused = [](int round, const std::string& reason) { log_warning("round {}: left out: {}", round, reason); },
      .on_lost =
          [server](const std::string& reason) {
            log_warning("{} is out of reach ({}); trying again", server, reason);
          }};
}

// What Flower's servers ask of a client: their strategy is their own; ours knows what travels and how it is scored.
class AskedByFlower {
 public:
  explicit AskedByFlower(const Options& options)
      : federation_(load_federation(options, Role::client)),
        worker_(federation_->student, shares_of(*federation_), client_options(options)),
        scored_(federation_->student, {federation_->data.validation, evaluate_options(options)}) {}

  net::JoinParts parts() {
    return {.task = worker_,
            .layout = scored_.layout(),
            .initial = [this] { return scored_.initial(); },
            .evaluate = [this](const NamedTensors& global) { return scored_.evaluate(/*round=*/0, global); }};
  }

 private:
  std::unique_ptr<Federation> federation_;
  worker::ClientWorker worker_;
  strategy::FedAvg scored_;
};

void be_node(const CommandLine& line, net::ClientOptions joining) {
  const NetworkOptions& network = line.options.network;
  joining.server = network.superlink;
  joining.watch = watch_of(network.superlink);
  const net::NodeOptions node{.client = std::move(joining), .key = network.tls_key};
  if (network.check) {
    net::check_superlink(node);
    return;
  }
  AskedByFlower asked(resolve_for_run(line.options));
  throw_if_interrupted();
  net::serve_superlink(node, asked.parts());
}

void be_client(const CommandLine& line, const net::ClientOptions& joining) {
  net::Client client(joining);
  const std::optional<net::Announcement> announced = client.enrol();
  const Options options = resolve_for_run(announced ? enrolled_options(line, announced->options) : line.options);
  log_info("client {} of {} ({})", joining.rank, joining.server,
           announced ? "run " + announced->run : "a Flower server: the options are this client's own");
  if (line.options.network.check) return;
  if (!announced) {
    AskedByFlower asked(options);
    throw_if_interrupted();
    net::join_flower(joining, asked.parts());
  } else {
    const std::unique_ptr<Federation> federation = load_federation(options, Role::client);
    require_same_model(*federation, *announced, options);
    throw_if_interrupted();
    worker::ClientWorker worker(federation->student, shares_of(*federation), client_options(options));
    DrilledTask task(worker);
    client.serve(task);
  }
  log_info("the run is over");
}

}  // namespace

void client_command(const CommandLine& line) {
  install_interrupt_handlers();
  const NetworkOptions& network = line.options.network;
  require_addressed(network);
  const net::ClientOptions joining{.server = network.server,
                                   .rank = network.rank,
                                   .tls = tls_options(line.options),
                                   .give_up = network.wait > 0.0 ? network.wait : default_wait,
                                   .version = fedtune_version(),
                                   .stop = [] { return interrupt_signal() != 0; },
                                   .watch = watch_of(network.server)};
  start_step_profile(line.options);
  network.superlink.empty() ? be_client(line, joining) : be_node(line, joining);
  print_step_profile(line.options);
}

}  // namespace fedtune::cli
