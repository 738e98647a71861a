#include "fedtune/net/wire.h"

#include <cstdlib>

#include <grpc/support/log.h>

#include "fedtune/base/error.h"

namespace fedtune::net::wire {

Layout read_layout(const v1::EnrolReply& reply) {
  Layout layout;
  for (const v1::TensorSpec& spec : reply.layout()) {
    const std::optional<DType> dtype = dtype_from(spec.dtype());
    if (!dtype) throw network_error("the server's tensor {} is of type '{}', which is none", spec.name(), spec.dtype());
    layout.push_back({.name = spec.name(), .dtype = *dtype, .shape = {spec.shape().begin(), spec.shape().end()}});
  }
  return layout;
}

grpc::Status status_from(const fed::Rejected& rejected) {
  const auto code = [&] {
    switch (rejected.why()) {
      case fed::Rejected::Why::unknown_seat:
        return grpc::StatusCode::UNAUTHENTICATED;
      case fed::Rejected::Why::closed:
        return grpc::StatusCode::FAILED_PRECONDITION;
      case fed::Rejected::Why::complete:
        return grpc::StatusCode::ALREADY_EXISTS;
      case fed::Rejected::Why::forbidden:
        return grpc::StatusCode::PERMISSION_DENIED;
      case fed::Rejected::Why::malformed:
        break;
    }
    return grpc::StatusCode::INVALID_ARGUMENT;
  }();
  return {code, rejected.what()};
}

void quiet_grpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace fedtune::net::wire
