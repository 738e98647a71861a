// Parts of a payload as gRPC sends and receives them, without a copy of the numbers. On the wire they are the messages
// of proto/; protobuf would copy a payload once more on either side. Included by the sources of net alone.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "fedtune/fed/payload.h"

namespace fedtune::net::wire {

// Bytes of a payload in one message: few enough that those of hundreds of clients under way at once are no matter.
constexpr std::size_t part_bytes = std::size_t{256} << 10U;

// The next part of `payload` from `offset` on, as an InstructionPart or a ContributionPart: `bytes payload = 2` in
// both. Keeps the payload until gRPC has sent it.
struct Part {
  grpc::ByteBuffer message;
  std::size_t bytes = 0;  // of the payload
};
Part payload_part(const std::shared_ptr<const fed::Payload>& payload, std::size_t offset);

// The payload in such a message, in pieces; empty where it is another message, or one that protobuf must take apart.
std::optional<std::vector<grpc::Slice>> payload_in(const grpc::ByteBuffer& message);

inline std::span<const std::byte> bytes_of(const grpc::Slice& slice) {
  return std::as_bytes(std::span(slice.begin(), slice.size()));
}

grpc::ByteBuffer message_from(const google::protobuf::MessageLite& message);
// False where it is no such message.
bool read_message(const grpc::ByteBuffer& message, google::protobuf::MessageLite& read);

}  // namespace fedtune::net::wire
