#include "fedtune/net/contribution.h"

#include <utility>

#include "fedtune/net/parts.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

fed::Rejected malformed(const char* what) {
  return {fed::Rejected::Why::malformed, what};
}

}  // namespace

void IncomingContribution::take_header(const grpc::ByteBuffer& message) {
  v1::ContributionPart part;
  if (!wire::read_message(message, part) || !part.has_header()) {
    throw malformed("what was sent is no contribution's header");
  }
  header_ = std::move(*part.mutable_header());
  has_header_ = true;
  seat_ = wire::seat_from(header_.seat());
}

std::size_t IncomingContribution::begin() {
  offset_ = board_.begin(seat_, header_.nonce());
  return offset_;
}

std::size_t IncomingContribution::take_payload(const grpc::ByteBuffer& message) {
  const std::size_t before = offset_;
  if (const auto payload = wire::payload_in(message)) {
    for (const grpc::Slice& piece : *payload) append(wire::bytes_of(piece));
    return offset_ - before;
  }
  v1::ContributionPart part;
  if (!wire::read_message(message, part) || part.part_case() != v1::ContributionPart::kPayload) {
    throw malformed("what was sent is no part of a contribution");
  }
  append(wire::bytes_of(part.payload()));
  return offset_ - before;
}

void IncomingContribution::append(std::span<const std::byte> bytes) {
  board_.append(seat_, header_.nonce(), offset_, bytes);
  offset_ += bytes.size();
}

void IncomingContribution::complete() {
  if (!has_header_) throw malformed("nothing was sent");
  board_.complete(seat_, header_.nonce(),
                  {.round = static_cast<int>(header_.round()),
                   .weight = header_.weight(),
                   .report = wire::report_from(header_.report())});
}

}  // namespace fedtune::net
