#include "fedtune/net/fleet.h"

#include <chrono>

#include <fmt/chrono.h>

#include "fedtune/base/log.h"

namespace fedtune::net {
namespace {

// HTTP as long as that is what is spoken there, gRPC from the first answer that only a gRPC server gives.
class EitherFleet final : public Fleet {
 public:
  EitherFleet(const std::string& address, const TlsOptions& tls, const NodeKey& key)
      : address_(address), http_(fleet_over_http(address, tls, key)), grpc_(fleet_over_grpc(address, tls, key)) {}

  std::string call(const std::string& method, const std::string& request) override {
    if (known_ == Spoken::grpc) return grpc_->call(method, request);
    try {
      std::string answer = http_->call(method, request);
      known_ = Spoken::http;
      return answer;
    } catch (const FleetError& error) {
      if (error.status() != 0) known_ = Spoken::http;
      if (known_ == Spoken::http || !error.foreign()) throw;
      return call_as_grpc(method, request, error);
    }
  }

 private:
  enum class Spoken { unknown, http, grpc };

  std::string call_as_grpc(const std::string& method, const std::string& request, const FleetError& over_http) {
    try {
      std::string answer = grpc_->call(method, request);
      speak_grpc();
      return answer;
    } catch (const FleetError& error) {
      if (error.status() == 0) throw FleetError(over_http);  // no gRPC either
      speak_grpc();
      throw;
    }
  }
  void speak_grpc() {
    known_ = Spoken::grpc;
    log_info("{} speaks gRPC, as Flower's SuperLink did up to 1.39", address_);
  }

  const std::string address_;
  Spoken known_ = Spoken::unknown;
  std::unique_ptr<Fleet> http_, grpc_;
};

}  // namespace

std::string node_time() {
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}+00:00", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     micros);
}

std::unique_ptr<Fleet> fleet_to(const std::string& address, const TlsOptions& tls, const NodeKey& key) {
  return std::make_unique<EitherFleet>(address, tls, key);
}

}  // namespace fedtune::net
