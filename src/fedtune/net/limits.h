// What strangers, and clients that stall, may cost a server. gRPC stays out of it: the options of a command become one.
#pragma once

#include <cstddef>

namespace grpc {
class ServerBuilder;
}  // namespace grpc

namespace fedtune::net {

struct Limits {
  int connections = 10000;  // open at once, at most half of the files that the system lets the process open
  double idle = 300.0;      // seconds after which a connection without a call is closed, 0: never; clients come back
  double send = 60.0;       // seconds in which a payload must have moved on by `least`, either way; 0: no limit
  std::size_t buffers = std::size_t{512} << 20U;  // bytes for what is being received and sent, over all connections

  // Not options.
  static constexpr std::size_t least = std::size_t{64} << 10U;  // bytes
  static constexpr double handshake = 20.0;                     // seconds for TLS and HTTP/2 to be agreed on
  static constexpr int calls = 1024;  // open at once on one connection, which all clients of a process share
  static constexpr std::size_t header = std::size_t{16} << 10U;  // bytes of a call's metadata
};

// Sets what gRPC itself holds to. Compressed messages are refused: what they unpack to is not known before it is there.
void apply(const Limits& limits, grpc::ServerBuilder& builder);

// Lets the process open as many files as the system allows, each connection being one, and says how many connections
// there may be then.
int connections_within(const Limits& limits);

}  // namespace fedtune::net
