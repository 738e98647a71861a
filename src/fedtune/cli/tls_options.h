// The --tls-* options as net takes them.
#pragma once

#include "fedtune/cli/options.h"
#include "fedtune/net/tls.h"

namespace fedtune::cli {

inline net::TlsOptions tls_options(const Options& options) {
  const NetworkOptions& network = options.network;
  return {.ca = network.tls_ca,
          .cert = network.tls_cert,
          .key = network.tls_key,
          .allow = network.tls_allow,
          .insecure = network.insecure};
}

}  // namespace fedtune::cli
