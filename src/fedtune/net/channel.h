// A client's line to a server, and how a call on it is ended early. Included by the sources of net alone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "fedtune/net/client.h"

namespace fedtune::net {

// Nothing is sent before the first call. `largest_message` is in bytes, of what is received.
std::shared_ptr<grpc::Channel> channel_to(const ClientOptions& options, int largest_message);

// The pause before a call is made again; shorter where the connection is there again. Whoever only slept would not be
// connected over TLS: gRPC reads a handshake's answers while somebody waits on the channel, and else every 5 s.
void pause(grpc::Channel& channel, std::chrono::milliseconds time);

// Cancels the call that is under way when the program is asked to stop.
class Canceller {
 public:
  explicit Canceller(std::function<bool()> stop) : stop_(std::move(stop)) {
    if (stop_) thread_ = std::jthread([this](const std::stop_token& token) { watch(token); });
  }

  bool stopped() const { return stop_ && stop_(); }
  void set(grpc::ClientContext* call) {
    const std::scoped_lock lock(mutex_);
    call_ = call;
  }

 private:
  void watch(const std::stop_token& token) {
    std::unique_lock lock(mutex_);
    while (!woken_.wait_for(lock, token, std::chrono::milliseconds(100), [] { return false; })) {
      if (token.stop_requested()) return;
      if (stop_() && call_ != nullptr) call_->TryCancel();
    }
  }

  std::function<bool()> stop_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  grpc::ClientContext* call_ = nullptr;
  std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace fedtune::net
