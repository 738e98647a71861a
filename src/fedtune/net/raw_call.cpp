#include "fedtune/net/raw_call.h"

namespace fedtune::net {

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, const std::string& method)
    : stream_(grpc::GenericStub(channel).PrepareCall(&context, method, &queue_)) {
  stream_->StartCall(this);
  done();
}

RawCall::~RawCall() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

// Waits for the one step that is under way.
bool RawCall::done() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

bool RawCall::write(const grpc::ByteBuffer& message) {
  stream_->Write(message, this);
  return done();
}

bool RawCall::writes_done() {
  stream_->WritesDone(this);
  return done();
}

bool RawCall::read(grpc::ByteBuffer& message) {
  stream_->Read(&message, this);
  return done();
}

grpc::Status RawCall::finish() {
  grpc::Status status;
  stream_->Finish(&status, this);
  done();
  return status;
}

}  // namespace fedtune::net
