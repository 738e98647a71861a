#include <fmt/format.h>

#include "fedtune/cli/carry_out.h"
#include "fedtune/cli/command.h"
#include "fedtune/cli/enrolment.h"
#include "fedtune/cli/resume.h"
#include "fedtune/cli/tls_options.h"
#include "fedtune/cli/version.h"
#include "fedtune/fed/board_transport.h"
#include "fedtune/net/server.h"

namespace fedtune::cli {
namespace {

constexpr double patience = 30.0;  // seconds for clients to hear that the run is over
// Seconds for clients to find a server that was started again: they look for it every 2 s at least.
constexpr double return_time = 8.0;

net::Announcement announcement_of(const TransportParts& parts) {
  return {.run = fmt::format("{}-{}", parts.folder.path().filename().string(),
                             configuration_hash(parts.options).substr(0, 12)),
          .options = announced_options(parts.options),
          .checkpoint_sha256 = parts.federation.checkpoint_sha256,
          .layout = parts.layout,
          .version = fedtune_version()};
}

net::Limits limits_of(const NetworkOptions& network) {
  return {.connections = network.max_connections,
          .idle = network.idle_timeout,
          .send = network.send_timeout,
          .buffers = static_cast<std::size_t>(network.max_buffers) << 20U};
}

struct OwnServer {
  net::Server server;
};

// The clients of a run, each a process of its own.
class ServedClients final : OwnServer, public fed::BoardTransport {
 public:
  explicit ServedClients(const TransportParts& parts)
      : OwnServer{{{.address = parts.options.network.address,
                    .tls = tls_options(parts.options),
                    .clients = parts.options.federation.num_clients,
                    .spill = {.folder = parts.folder.path()},
                    .limits = limits_of(parts.options.network)},
                   announcement_of(parts)}},
        BoardTransport(server.board(), options_of(parts)) {
    parts.watch.clients_are_elsewhere();
    const std::string& address = parts.options.network.address;
    parts.progress.print_line(fmt::format("listening on {}:{} for clients 1 to {}",
                                          address.substr(0, address.rfind(':')), server.port(),
                                          parts.options.federation.num_clients));
  }

  void finish() override {
    if (!has_asked()) await_everyone(return_time);
    server.finish(patience);
  }

 private:
  static fed::TransportOptions options_of(const TransportParts& parts) {
    const NetworkOptions& network = parts.options.network;
    return {.min_clients = network.min_clients,
            .round_timeout = network.round_timeout,
            .wait = network.wait,
            .on_waiting = [&progress = parts.progress](std::span<const int> missing) {
              progress.print_line(
                  fmt::format("waiting for client{} {}", missing.size() > 1 ? "s" : "", fmt::join(missing, ", ")));
            }};
  }
};

}  // namespace

void server_command(const CommandLine& line) {
  carry_out(line, {.command = "server", .make_transport = [](const TransportParts& parts) {
                     return std::make_unique<ServedClients>(parts);
                   }});
}

}  // namespace fedtune::cli
