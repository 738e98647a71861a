// Listens for a gRPC server and counts: gRPC itself accepts connections until no file can be opened any more, and then
// neither can the server's own. Included by the sources of net alone.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/server_builder.h>

#include "fedtune/base/file_descriptor.h"

namespace fedtune::net {

class Acceptor {
 public:
  // Adds itself to `builder`. Throws Error(network) where HOST:PORT cannot be listened on; port 0 takes any that is
  // free, the same for all addresses of the host.
  struct Place {
    std::string address;
    std::shared_ptr<grpc::ServerCredentials> credentials;
    int connections = 0;  // at once; who comes beyond that is disconnected
  };
  Acceptor(Place place, grpc::ServerBuilder& builder);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int port() const { return port_; }
  // Once the server has been started. On a thread of its own, until stop().
  void start();
  // No connection is handed over after it; to be called before the server shuts down. May be repeated.
  void stop();

 private:
  class Guests;

  void listen_on(const std::string& address);
  void take_from(int listener);

  int port_ = 0;
  std::vector<FileDescriptor> listeners_;
  std::unique_ptr<Guests> guests_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> grpc_;
  FileDescriptor wake_;  // written to by stop()
  std::thread thread_;
};

}  // namespace fedtune::net
