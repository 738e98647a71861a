#include "fedtune/net/instruction.h"

#include <algorithm>
#include <utility>

#include "fedtune/net/parts.h"
#include "fedtune/v1/federation.pb.h"

namespace fedtune::net {

IncomingInstruction::IncomingInstruction(std::shared_ptr<fed::Bytes> buffer, std::size_t expected)
    : payload_(std::move(buffer)), expected_(expected) {
  payload_->clear();
}

bool IncomingInstruction::take(const grpc::ByteBuffer& message) {
  if (const auto payload = wire::payload_in(message)) {
    return std::ranges::all_of(*payload, [&](const grpc::Slice& piece) { return append(wire::bytes_of(piece)); });
  }
  v1::InstructionPart part;
  if (!wire::read_message(message, part)) return false;
  if (part.part_case() == v1::InstructionPart::kPayload) return append(wire::bytes_of(part.payload()));
  over_ = part.has_finished();
  if (!part.has_header()) return true;
  const v1::InstructionHeader& header = part.header();
  if (header.offset() > payload_->size()) return false;
  round_ = static_cast<int>(header.round());
  nonce_ = header.nonce();
  payload_->resize(header.offset());  // another errand than the one that was cut starts anew
  payload_->reserve(expected_);
  return true;
}

bool IncomingInstruction::append(std::span<const std::byte> bytes) {
  if (bytes.size() > expected_ - payload_->size()) return false;
  payload_->insert(payload_->end(), bytes.begin(), bytes.end());
  return true;
}

}  // namespace fedtune::net
