#include "fedtune/net/server.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "fedtune/base/error.h"
#include "fedtune/net/acceptor.h"
#include "fedtune/net/join_service.h"
#include "fedtune/net/service.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

constexpr int places = 4;  // contributions that are sent at once
// For calls that are being answered; gRPC also waits for whoever is connected and says nothing.
constexpr std::chrono::seconds last_words{2};
constexpr int read_at_once = 64 << 10;  // bytes of one connection

}  // namespace

struct Server::Impl {
  Impl(Announcement announced, const ServerOptions& options)
      : announcement(std::move(announced)),
        board({.clients = options.clients, .layout = announcement.layout, .spill = options.spill}),
        doorman(doorman_of(options.tls)),
        limits(options.limits) {}

  static Doorman doorman_of(const TlsOptions& tls) {
    return tls.allow.empty() ? Doorman() : Doorman(AllowList(tls.allow));
  }

  const Announcement announcement;
  fed::Board board;
  const Doorman doorman;
  const Limits limits;
  Turnstile turnstile{places};
  FederationService service{{board, announcement, doorman, turnstile, limits}};
  JoinService join{{board, announcement.layout, doorman}};
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Acceptor> acceptor;  // first to go
};

Server::Server(const ServerOptions& options, Announcement announcement)
    : impl_(std::make_unique<Impl>(std::move(announcement), options)) {
  wire::quiet_grpc();
  grpc::ServerBuilder builder;
  impl_->acceptor =
      std::make_unique<Acceptor>(Acceptor::Place{.address = options.address,
                                                 .credentials = server_credentials(options.tls, options.address),
                                                 .connections = connections_within(options.limits)},
                                 builder);
  // Flower's wire has a whole model in one message.
  const std::size_t largest = fed::payload_size(impl_->announcement.layout) + wire::largest_message;
  builder.SetMaxReceiveMessageSize(static_cast<int>(std::min<std::size_t>(largest, std::numeric_limits<int>::max())));
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, read_at_once);
  // Clients ping while they train, so that a line that is dead is found out.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  apply(options.limits, builder);
  builder.RegisterService(&impl_->service);
  builder.RegisterService(&impl_->join);
  impl_->server = builder.BuildAndStart();
  if (!impl_->server) throw network_error("listening on {}: gRPC could not start its server", options.address);
  impl_->acceptor->start();
}

Server::~Server() {
  impl_->acceptor->stop();
  impl_->server->Shutdown(std::chrono::system_clock::now());
}

int Server::port() const {
  return impl_->acceptor->port();
}
fed::Board& Server::board() {
  return impl_->board;
}

void Server::finish(double patience) {
  const auto given = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(patience));
  impl_->board.finish();
  impl_->board.await_told(std::chrono::steady_clock::now() + given);
  impl_->acceptor->stop();
  impl_->server->Shutdown(std::chrono::system_clock::now() + last_words);
}

}  // namespace fedtune::net
