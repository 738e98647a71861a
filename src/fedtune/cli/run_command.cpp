#include <algorithm>

#include "fedtune/cli/carry_out.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/controls.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/in_process_transport.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::cli {
namespace {

// Fewer clients at once than may work share the cores that would be idle.
int threads_of_a_client(const Options& options) {
  const FederationOptions& federation = options.federation;
  const int at_once = fed::cohort_size({.clients = federation.num_clients, .fraction_fit = federation.fraction_fit});
  return std::max(options.training.threads, workers_of(options) / at_once);
}

struct OwnWorker {
  worker::ClientWorker worker;
};

// All clients of a run, trained in this process.
class LocalClients final : OwnWorker, public fed::InProcessTransport {
 public:
  explicit LocalClients(const TransportParts& parts)
      : OwnWorker{{parts.federation.student, shares_of(parts.federation), watched(parts)}},
        InProcessTransport(worker, workers_of(parts.options)) {}

 private:
  static worker::ClientOptions watched(const TransportParts& parts) {
    worker::ClientOptions client = client_options(parts.options);
    client.threads = threads_of_a_client(parts.options);
    client.on_step = [&watch = parts.watch](int, std::int64_t, double loss) { watch.on_step(loss); };
    return client;
  }
};

}  // namespace

void run_command(const CommandLine& line) {
  carry_out(line, {.command = "run", .make_transport = [](const TransportParts& parts) {
                     return std::make_unique<LocalClients>(parts);
                   }});
}

}  // namespace fedtune::cli
