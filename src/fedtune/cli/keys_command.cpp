#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/command.h"
#include "fedtune/net/keys.h"
#include "fedtune/net/tls.h"

namespace fedtune::cli {

void keys_command(const CommandLine& line) {
  if (line.positionals.empty()) throw usage_error("keys: into which folder? fedtune keys FOLDER");
  net::KeysOptions keys{.folder = line.positionals.front(), .clients = line.options.federation.num_clients};
  if (line.given.contains("address")) keys.hosts.push_back(net::host_of(line.options.network.address));
  net::make_keys(keys);
  if (line.options.run.quiet) return;
  const std::string folder = keys.folder.string();
  fmt::print(
      "{0}: an authority, a server and {1} client{3}, for {2} days\n"
      "  server    --tls-ca {0}/ca.pem --tls-cert {0}/server.pem --tls-key {0}/server.key --tls-allow {0}/allow.txt\n"
      "  client 1  --tls-ca {0}/ca.pem --tls-cert {0}/client-1.pem --tls-key {0}/client-1.key\n",
      folder, keys.clients, keys.days, keys.clients == 1 ? "" : "s");
}

}  // namespace fedtune::cli
