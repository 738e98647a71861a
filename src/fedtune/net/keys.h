// Certificates for a trial: a private authority, a server and its clients.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fedtune::net {

struct KeysOptions {
  std::filesystem::path folder;      // made; must not exist or be empty
  std::vector<std::string> hosts{};  // names or addresses that the server is reached by, besides this machine's own
  int clients = 4;
  int days = 365;  // of validity
};

// Writes ca.pem, server.pem, server.key, client-K.pem, client-K.key and allow.txt, the list of the clients'
// fingerprints. Keys are ECDSA on P-256 and readable by their owner alone; the authority's own key is not kept, so
// nobody can be added later. Throws Error(usage) for a folder in use, Error(failed) where it cannot be written.
void make_keys(const KeysOptions& options);

}  // namespace fedtune::net
