// Looks at the certificates of those who call. Included by the sources of net alone.
#pragma once

#include <optional>
#include <utility>

#include <grpcpp/server_context.h>

#include "fedtune/base/status.h"
#include "fedtune/net/allow_list.h"

namespace fedtune::net {

class Doorman {
 public:
  Doorman() = default;  // everyone may pass that TLS lets through
  explicit Doorman(AllowList list) : list_(std::move(list)) {}

  // Whether the caller may act as client `rank`.
  Status admits(const grpc::CallbackServerContext& context, int rank) const;
  // Throws Rejected when it may not.
  void check(const grpc::CallbackServerContext& context, int rank) const;

 private:
  std::optional<AllowList> list_;
};

}  // namespace fedtune::net
