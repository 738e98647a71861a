// One owner of data: takes a rank at the server, trains when asked, sends what it trained, until the run is over.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fedtune/fed/local_task.h"
#include "fedtune/net/server.h"

namespace fedtune::net {

// What a client does, for whoever watches; unset callbacks are skipped.
struct ClientWatch {
  std::function<void(int round)> on_instruction{};
  std::function<void(const fed::Update& update)> on_sent{};
  // The server took no more of a contribution, or had no more use for it.
  std::function<void(int round, const std::string& reason)> on_refused{};
  // The server is out of reach; it is tried again.
  std::function<void(const std::string& reason)> on_lost{};
};

struct ClientOptions {
  std::string server{};  // HOST:PORT
  int rank = 0;          // 1 .. clients
  TlsOptions tls{};
  double give_up = 60.0;  // seconds without reaching the server
  std::string version{};  // of the program, told to the server
  // Polled at least ten times a second, where set; true throws Interrupted.
  std::function<bool()> stop = {};
  ClientWatch watch{};
};

// Used from one thread.
class Client {
 public:
  // Throws as client_credentials. Nothing is sent yet.
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Takes the rank; what the server announces, or nothing where a server answers that does not know our service: it may
  // be Flower's (join_flower). Throws Error(network) when the server cannot be reached for `give_up`
  // seconds or refuses; Interrupted.
  std::optional<Announcement> enrol();

  // After enrol: trains with `task` whenever asked. Returns when the run is over. A task that throws declines the round
  // and goes on. Throws Error(network) when the server is lost for `give_up` seconds, serves another run, or has given
  // the rank to another program; Interrupted.
  void serve(fed::LocalTask& task);

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace fedtune::net
