#include <chrono>

#include <grpcpp/create_channel.h>

#include "fedtune/base/error.h"
#include "fedtune/net/fleet.h"
#include "fedtune/net/fleet_detail.h"
#include "fedtune/net/raw_call.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

constexpr std::chrono::seconds call_limit{120};

// "pull-messages" as "/flwr.proto.Fleet/PullMessages"
std::string path_of(const std::string& method) {
  std::string path = "/flwr.proto.Fleet/";
  bool capital = true;
  for (const char letter : method) {
    if (letter != '-') path += capital && letter >= 'a' ? static_cast<char>(letter - 'a' + 'A') : letter;
    capital = letter == '-';
  }
  return path;
}

// The status that the SuperLink's HTTP would have; 0 where it was not reached.
int http_status(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAUTHENTICATED:
      return 401;
    case grpc::StatusCode::PERMISSION_DENIED:
      return 403;
    case grpc::StatusCode::NOT_FOUND:
      return 404;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ALREADY_EXISTS:
      return 412;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return 400;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return 0;
    default:
      return 500;
  }
}

class GrpcFleet final : public Fleet {
 public:
  GrpcFleet(const std::string& address, const TlsOptions& tls, const NodeKey& key) : key_(key) {
    wire::quiet_grpc();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);  // what a SuperLink sends at once is at most an object of 5 MiB
    arguments.SetMaxSendMessageSize(-1);
    // A node shows no certificate: --tls-key is the key that it signs with.
    TlsOptions server_only = tls;
    server_only.cert.clear();
    server_only.key.clear();
    channel_ = grpc::CreateCustomChannel(address, client_credentials(server_only, address), arguments);
  }

  std::string call(const std::string& method, const std::string& request) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + call_limit);
    const std::string time = node_time();
    context.AddMetadata("flwr-public-key-bin", key_.public_pem());
    context.AddMetadata("flwr-timestamp", time);
    context.AddMetadata("flwr-signature-bin", key_.sign(time));
    RawCall call(channel_, context, path_of(method));
    const grpc::Slice sent(request);
    call.write(grpc::ByteBuffer(&sent, 1));
    call.writes_done();
    grpc::ByteBuffer reply;
    call.read(reply);
    if (const grpc::Status status = call.finish(); !status.ok()) throw refusal(method, status);
    std::vector<grpc::Slice> slices;
    std::string answer;
    if (reply.Valid() && reply.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) answer.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return answer;
  }

 private:
  static FleetError refusal(const std::string& method, const grpc::Status& status) {
    const FleetDetail detail = detail_in(status.error_message());
    return {http_status(status.error_code()), detail.code,
            fmt::format("{}: {} (gRPC status {}{})", method, detail.text, static_cast<int>(status.error_code()),
                        detail.code == 0 ? std::string() : fmt::format(", code {}", detail.code))};
  }

  const NodeKey& key_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

std::unique_ptr<Fleet> fleet_over_grpc(const std::string& address, const TlsOptions& tls, const NodeKey& key) {
  return std::make_unique<GrpcFleet>(address, tls, key);
}

}  // namespace fedtune::net
