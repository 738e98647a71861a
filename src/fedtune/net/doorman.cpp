#include "fedtune/net/doorman.h"

#include "fedtune/fed/board.h"

namespace fedtune::net {

Status Doorman::admits(const grpc::CallbackServerContext& context, int rank) const {
  if (!list_) return Status::ok();
  const auto shown = context.auth_context()->FindPropertyValues("x509_pem_cert");
  const std::string fingerprint =
      shown.empty() ? std::string() : fingerprint_of({shown.front().data(), shown.front().size()});
  return list_->admits(rank, fingerprint);
}

void Doorman::check(const grpc::CallbackServerContext& context, int rank) const {
  if (const Status status = admits(context, rank); !status) {
    throw fed::Rejected(fed::Rejected::Why::forbidden, status.reason());
  }
}

}  // namespace fedtune::net
