// The server of a federation over gRPC.
#pragma once

#include <memory>
#include <string>

#include "fedtune/fed/board.h"
#include "fedtune/net/limits.h"
#include "fedtune/net/tls.h"

namespace fedtune::net {

// What a client learns when it enrols.
struct Announcement {
  std::string run{};                // constant over the run, restarts included
  std::string options{};            // what decides its results: a JSON object, option to value
  std::string checkpoint_sha256{};  // of the weights that every party starts from
  Layout layout{};                  // of what travels
  std::string version{};            // of the program
};

struct ServerOptions {
  std::string address = "127.0.0.1:8080";  // HOST:PORT; port 0 takes any that is free
  TlsOptions tls{};
  int clients = 0;            // ranks 1 .. clients
  fed::SpillOptions spill{};  // where contributions wait for the end of their round
  Limits limits{};
};

// Listens from construction to destruction. Thread-safe.
class Server {
 public:
  // Throws Error(network) when the address cannot be listened on; as server_credentials for TLS.
  Server(const ServerOptions& options, Announcement announcement);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  fed::Board& board();
  // Tells every client that the run is over; returns when all have heard, after `patience` seconds at most.
  void finish(double patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fedtune::net
