// An instruction as its messages come in from the server. Included by the sources of net alone.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <grpcpp/support/byte_buffer.h>

#include "fedtune/fed/payload.h"

namespace fedtune::net {

// Outlives the calls that carry it: what a cut call has brought stays, and the next goes on from there.
class IncomingInstruction {
 public:
  // The payload goes into `buffer`, which it empties, and has `expected` bytes.
  IncomingInstruction(std::shared_ptr<fed::Bytes> buffer, std::size_t expected);

  // False: the server sends what cannot be right.
  bool take(const grpc::ByteBuffer& message);

  // The run is over, there is nothing to do any more.
  bool is_over() const { return over_; }
  // Header and payload are there.
  bool is_whole() const { return !nonce_.empty() && payload_->size() == expected_; }
  int round() const { return round_; }
  const std::string& nonce() const { return nonce_; }
  const std::shared_ptr<fed::Bytes>& payload() const { return payload_; }

 private:
  bool append(std::span<const std::byte> bytes);

  std::shared_ptr<fed::Bytes> payload_;
  std::size_t expected_;
  int round_ = 0;
  std::string nonce_;
  bool over_ = false;
};

}  // namespace fedtune::net
