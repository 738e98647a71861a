// The RPC handlers of the contract in proto/: they translate and ask the board. Included by the sources of net alone.
#pragma once

#include "fedtune/fed/board.h"
#include "fedtune/net/doorman.h"
#include "fedtune/net/server.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {

// Handlers run on gRPC's threads and never block.
class FederationService final : public v1::Federation::CallbackService {
 public:
  // All outlive the service.
  struct Parts {
    fed::Board& board;
    const Announcement& announcement;
    const Doorman& doorman;
  };
  explicit FederationService(const Parts& parts)
      : board_(parts.board), announcement_(parts.announcement), doorman_(parts.doorman) {}

  grpc::ServerUnaryReactor* Enrol(grpc::CallbackServerContext* context, const v1::EnrolRequest* request,
                                  v1::EnrolReply* reply) override;
  grpc::ServerUnaryReactor* Standing(grpc::CallbackServerContext* context, const v1::StandingRequest* request,
                                     v1::StandingReply* reply) override;
  grpc::ServerUnaryReactor* Decline(grpc::CallbackServerContext* context, const v1::DeclineRequest* request,
                                    v1::DeclineReply* reply) override;
  grpc::ServerWriteReactor<v1::InstructionPart>* Next(grpc::CallbackServerContext* context,
                                                      const v1::NextRequest* request) override;
  grpc::ServerReadReactor<v1::ContributionPart>* Contribute(grpc::CallbackServerContext* context,
                                                            v1::ContributeReply* reply) override;

 private:
  fed::Board& board_;
  const Announcement& announcement_;
  const Doorman& doorman_;
};

}  // namespace fedtune::net
