#include "fedtune/net/server.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "fedtune/base/error.h"
#include "fedtune/net/join_service.h"
#include "fedtune/net/service.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

constexpr int places = 4;               // contributions that are sent at once
constexpr int read_at_once = 64 << 10;  // bytes of one connection

}  // namespace

struct Server::Impl {
  Impl(Announcement announced, const ServerOptions& options)
      : announcement(std::move(announced)),
        board({.clients = options.clients, .layout = announcement.layout, .spill = options.spill}),
        doorman(doorman_of(options.tls)) {}

  static Doorman doorman_of(const TlsOptions& tls) {
    return tls.allow.empty() ? Doorman() : Doorman(AllowList(tls.allow));
  }

  const Announcement announcement;
  fed::Board board;
  const Doorman doorman;
  Turnstile turnstile{places};
  FederationService service{{board, announcement, doorman, turnstile}};
  JoinService join{{board, announcement.layout, doorman}};
  int port = 0;
  std::unique_ptr<grpc::Server> server;  // first to go
};

Server::Server(const ServerOptions& options, Announcement announcement)
    : impl_(std::make_unique<Impl>(std::move(announcement), options)) {
  wire::quiet_grpc();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, server_credentials(options.tls, options.address), &impl_->port);
  // Flower's wire has a whole model in one message.
  const std::size_t largest = fed::payload_size(impl_->announcement.layout) + wire::largest_message;
  builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<std::size_t>(largest, std::numeric_limits<int>::max())));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, read_at_once);
  // Clients ping while they train, so that a line that is dead is found out.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.RegisterService(&impl_->service);
  builder.RegisterService(&impl_->join);
  impl_->server = builder.BuildAndStart();
  if (!impl_->server || impl_->port == 0) {
    throw network_error("listening on {}: the address cannot be used (is the port taken?); give another --address",
                        options.address);
  }
}

Server::~Server() {
  impl_->server->Shutdown(std::chrono::system_clock::now());
}

int Server::port() const {
  return impl_->port;
}
fed::Board& Server::board() {
  return impl_->board;
}

void Server::finish(double patience) {
  const auto given = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(patience));
  impl_->board.finish();
  impl_->board.await_told(std::chrono::steady_clock::now() + given);
  impl_->server->Shutdown(std::chrono::system_clock::now() + given);  // lets calls that are being answered end
}

}  // namespace fedtune::net
