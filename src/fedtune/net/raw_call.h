// A call that streams messages as bytes, one step at a time. Included by the sources of net alone.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

namespace fedtune::net {

// Blocking; ends early when its context is cancelled. Not thread-safe.
class RawCall {
 public:
  // `context` outlives the call; `method` as "/package.Service/Method".
  RawCall(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, const std::string& method);
  ~RawCall();
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // False: the call has ended, finish() says why.
  bool write(const grpc::ByteBuffer& message);
  bool writes_done();
  bool read(grpc::ByteBuffer& message);
  // How the call ended; call once, last.
  grpc::Status finish();

 private:
  bool done();

  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace fedtune::net
