#include "fedtune/net/channel.h"

#include <thread>

#include <grpcpp/create_channel.h>

#include "fedtune/net/wire.h"

namespace fedtune::net {

std::shared_ptr<grpc::Channel> channel_to(const ClientOptions& options, int largest_message) {
  wire::quiet_grpc();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(largest_message);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also what an attempt may take: TCP and TLS, far away or on a busy machine. One that is refused ends at once.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return grpc::CreateCustomChannel(options.server, client_credentials(options.tls, options.server), arguments);
}

void pause(grpc::Channel& channel, std::chrono::milliseconds time) {
  if (channel.GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
    std::this_thread::sleep_for(time);
  } else {
    channel.WaitForConnected(std::chrono::system_clock::now() + time);
  }
}

}  // namespace fedtune::net
