#include "fedtune/net/tls.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"

namespace fedtune::net {
namespace {

void require_pair(const TlsOptions& options) {
  if (options.cert.empty() != options.key.empty()) {
    throw usage_error("--tls-cert and --tls-key belong together; {} is missing",
                      options.cert.empty() ? "--tls-cert" : "--tls-key");
  }
}

grpc::SslServerCredentialsOptions::PemKeyCertPair pair_of(const TlsOptions& options) {
  return {.private_key = read_file(options.key), .cert_chain = read_file(options.cert)};
}

}  // namespace

std::string host_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool is_loopback(const std::string& address) {
  const std::string host = host_of(address);
  return host == "localhost" || host == "::1" || host.starts_with("127.") || address.starts_with("unix:");
}

void require_plaintext_allowed(const TlsOptions& options, const std::string& address, std::string_view remedy) {
  if (options.insecure || is_loopback(address)) return;
  throw usage_error("{} is not this machine alone, and nothing would be encrypted; {}, or --insecure where you mean it",
                    address, remedy);
}

std::shared_ptr<grpc::ServerCredentials> server_credentials(const TlsOptions& options, const std::string& address) {
  require_pair(options);
  if (!options.allow.empty() && options.ca.empty()) {
    throw usage_error("--tls-allow: it lists certificates, and clients show one only where --tls-ca is given too");
  }
  if (options.cert.empty()) {
    if (!options.ca.empty()) throw usage_error("--tls-ca: a server needs --tls-cert and --tls-key too");
    require_plaintext_allowed(options, address, "give --tls-cert and --tls-key");
    return grpc::InsecureServerCredentials();
  }
  const bool mutual = !options.ca.empty();
  grpc::SslServerCredentialsOptions ssl(mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                               : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  if (mutual) ssl.pem_root_certs = read_file(options.ca);
  ssl.pem_key_cert_pairs.push_back(pair_of(options));
  return grpc::SslServerCredentials(ssl);
}

std::shared_ptr<grpc::ChannelCredentials> client_credentials(const TlsOptions& options, const std::string& address) {
  require_pair(options);
  if (options.ca.empty()) {
    if (!options.cert.empty()) throw usage_error("--tls-cert: a client needs --tls-ca too, to know its server by");
    require_plaintext_allowed(options, address, "give --tls-ca");
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = read_file(options.ca);
  if (!options.cert.empty()) {
    ssl.pem_private_key = read_file(options.key);
    ssl.pem_cert_chain = read_file(options.cert);
  }
  return grpc::SslCredentials(ssl);
}

}  // namespace fedtune::net
