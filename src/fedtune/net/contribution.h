// A client's contribution as its messages come in, handed on to the board. Knows nothing of the call that carries it.
// Included by the sources of net alone.
#pragma once

#include <cstddef>
#include <span>

#include <grpcpp/support/byte_buffer.h>

#include "fedtune/fed/board.h"
#include "fedtune/v1/federation.pb.h"

namespace fedtune::net {

// The header comes first, then the payload, then complete(). All throw Rejected, and what the board throws.
class IncomingContribution {
 public:
  // The board outlives it.
  explicit IncomingContribution(fed::Board& board) : board_(board) {}

  bool has_header() const { return has_header_; }
  void take_header(const grpc::ByteBuffer& message);
  // Of whom, as the header says.
  const fed::Seat& seat() const { return seat_; }
  // From which byte on the payload is wanted, if it is wanted at all; the next part starts there.
  std::size_t begin();
  // Returns the bytes of the payload in the message.
  std::size_t take_payload(const grpc::ByteBuffer& message);
  void complete();

 private:
  void append(std::span<const std::byte> bytes);

  fed::Board& board_;
  bool has_header_ = false;
  v1::ContributionHeader header_;
  fed::Seat seat_;
  std::size_t offset_ = 0;
};

}  // namespace fedtune::net
