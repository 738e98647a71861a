// Flower's Join on the server's port: stock Python clients take part beside ours. Included by the sources of net alone.
#pragma once

#include "flwr/proto/transport.grpc.pb.h"

#include "fedtune/fed/board.h"
#include "fedtune/net/doorman.h"

namespace fedtune::net {

// A client of Flower's has no rank: it is given the lowest that is free. It is asked to fit alone, since the server
// scores the model itself; its number of examples is its weight. Handlers run on gRPC's threads and never block.
class JoinService final : public ::flwr::proto::FlowerService::CallbackService {
 public:
  // Board and layout outlive the service.
  struct Parts {
    fed::Board& board;
    const Layout& layout;
    const Doorman& doorman;
  };
  explicit JoinService(const Parts& parts) : parts_(parts) {}

  grpc::ServerBidiReactor<::flwr::proto::ClientMessage, ::flwr::proto::ServerMessage>* Join(
      grpc::CallbackServerContext* context) override;

 private:
  const Parts parts_;
};

}  // namespace fedtune::net
