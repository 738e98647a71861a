#include "fedtune/net/limits.h"

#include <algorithm>
#include <limits>

#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <sys/resource.h>

namespace fedtune::net {
namespace {

int milliseconds(double seconds) {
  constexpr double most = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(seconds * 1000.0, most));
}

}  // namespace

void apply(const Limits& limits, grpc::ServerBuilder& builder) {
  if (limits.idle > 0.0) builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, milliseconds(limits.idle));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(Limits::handshake));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, Limits::calls);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(Limits::header));
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  grpc::ResourceQuota quota("fedtune");
  builder.SetResourceQuota(quota.Resize(limits.buffers));
}

int connections_within(const Limits& limits) {
  struct rlimit files = {};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return limits.connections;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return static_cast<int>(std::min<rlim_t>(static_cast<rlim_t>(limits.connections), files.rlim_max / 2));
}

}  // namespace fedtune::net
