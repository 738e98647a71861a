// Who may read along, and who is whom: certificates for gRPC.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace fedtune::net {

// Files in PEM. All empty: plaintext, which is for this machine alone unless `insecure` says otherwise.
struct TlsOptions {
  std::string ca{};     // who vouches for the other side
  std::string cert{};   // ours
  std::string key{};    // of cert
  std::string allow{};  // a server's AllowList; empty: every certificate that ca vouches for
  bool insecure = false;
};

// "[::1]:8080" gives "::1".
std::string host_of(const std::string& address);
// "127.0.0.1:8080", "[::1]:0", "localhost:8080": this machine alone?
bool is_loopback(const std::string& address);

// Throws Error(usage) that ends with `remedy` for plaintext off loopback without --insecure.
void require_plaintext_allowed(const TlsOptions& options, const std::string& address, std::string_view remedy);

// A server needs --tls-cert and --tls-key; with --tls-ca it also asks its clients for certificates. Throws Error(usage)
// for an incomplete set, and for plaintext off loopback without --insecure; Error(input) for a file that cannot be
// read.
std::shared_ptr<grpc::ServerCredentials> server_credentials(const TlsOptions& options, const std::string& address);
// A client needs --tls-ca; --tls-cert and --tls-key where the server asks for them. Throws as above.
std::shared_ptr<grpc::ChannelCredentials> client_credentials(const TlsOptions& options, const std::string& address);

}  // namespace fedtune::net
