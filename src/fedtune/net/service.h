// The RPC handlers of the contract in proto/: they translate and ask the board. Included by the sources of net alone.
#pragma once

#include "fedtune/fed/board.h"
#include "fedtune/net/doorman.h"
#include "fedtune/net/server.h"
#include "fedtune/net/turnstile.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {

// The two calls that stream payloads get their messages as bytes (net/parts.h).
using FederationBase = v1::Federation::WithCallbackMethod_Enrol<
    v1::Federation::WithRawCallbackMethod_Next<v1::Federation::WithRawCallbackMethod_Contribute<
        v1::Federation::WithCallbackMethod_Decline<v1::Federation::Service>>>>;

// Handlers run on gRPC's threads; a disk that takes contributions is all that they wait for.
class FederationService final : public FederationBase {
 public:
  // All outlive the service.
  struct Parts {
    fed::Board& board;
    const Announcement& announcement;
    const Doorman& doorman;
    Turnstile& turnstile;
    const Limits& limits;
  };
  explicit FederationService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Enrol(grpc::CallbackServerContext* context, const v1::EnrolRequest* request,
                                  v1::EnrolReply* reply) override;
  grpc::ServerUnaryReactor* Decline(grpc::CallbackServerContext* context, const v1::DeclineRequest* request,
                                    v1::DeclineReply* reply) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Next(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Contribute(
      grpc::CallbackServerContext* context) override;

 private:
  const Parts parts_;
};

}  // namespace fedtune::net
