// One call of the Fleet API, whatever carries it. Included by the sources of net alone.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "fedtune/net/node_key.h"
#include "fedtune/net/tls.h"

namespace fedtune::net {

// What a SuperLink answers instead of a result.
class FleetError : public std::runtime_error {
 public:
  // `status` is HTTP's, 0 where the SuperLink was not reached; `code` its own, 0 where it gives none.
  // `foreign`: there was an answer, but not one of HTTP's.
  FleetError(int status, int code, const std::string& what, bool foreign = false)
      : std::runtime_error(what), status_(status), code_(code), foreign_(foreign) {}
  int status() const noexcept { return status_; }
  int code() const noexcept { return code_; }
  bool foreign() const noexcept { return foreign_; }
  // Whether the same call may go well when it is made again.
  bool passes() const noexcept { return status_ == 0 || (status_ >= 502 && status_ <= 504); }

 private:
  int status_, code_;
  bool foreign_;
};

class Fleet {
 public:
  virtual ~Fleet() = default;
  // Request and result are serialized messages; `method` is spelt as in the path, "pull-messages". Throws FleetError.
  virtual std::string call(const std::string& method, const std::string& request) = 0;
};

// Not thread-safe: one for each thread that calls. `key` outlives it. Each throws Error(usage) where plaintext is not
// allowed.
//
// Protobuf over HTTP/1.1, as flwr 1.40 and newer listen for it.
std::unique_ptr<Fleet> fleet_over_http(const std::string& address, const TlsOptions& tls, const NodeKey& key);
// The same messages over gRPC, as flwr up to 1.39 listens for them.
std::unique_ptr<Fleet> fleet_over_grpc(const std::string& address, const TlsOptions& tls, const NodeKey& key);
// Whichever is spoken there.
std::unique_ptr<Fleet> fleet_to(const std::string& address, const TlsOptions& tls, const NodeKey& key);

// For the envelopes. The time that a node signs: "2026-03-29T12:00:00.123456+00:00".
std::string node_time();

}  // namespace fedtune::net
