// The server of a federation over gRPC, and the transport its round engine uses.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "fedtune/fed/transport.h"
#include "fedtune/net/board.h"
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
  int clients = 0;  // ranks 1 .. clients
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
  Board& board();
  // Tells every client that the run is over; returns when all have heard, after `patience` seconds at most.
  void finish(double patience);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct TransportOptions {
  int min_clients = 0;         // that must be there before a round starts; 0: the whole cohort
  double round_timeout = 0.0;  // seconds a round may take from then on; 0: no limit
  double wait = 0.0;           // seconds to wait for min_clients; 0: no limit
  // Ranks of the cohort that are missing at the start of a round, once, where set.
  std::function<void(std::span<const int> missing)> on_waiting = {};
};

// Rounds over a board: asks the cohort, hands on what comes back, closes the round at its deadline. A client that has not
// answered by then is reported as failed and counts as absent until it is heard again.
class NetworkTransport : public fed::Transport {
 public:
  // `board` outlives the transport.
  NetworkTransport(Board& board, TransportOptions options);

  // Throws Error(network) when --wait ends with fewer than min_clients there; Interrupted.
  void exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                const std::function<void(fed::Update)>& on_update,
                const std::function<void(int rank, const std::string& reason)>& on_failure) override;
  ErrorKind failure_kind() const override { return ErrorKind::network; }

 private:
  void await_clients(std::span<const int> cohort);

  Board& board_;
  TransportOptions options_;
};

}  // namespace fedtune::net
