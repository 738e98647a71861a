// The values of a set of tensors as they travel: little-endian and row-major, in the order of a layout, each tensor
// starting at a multiple of 8 bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::fed {

using Bytes = std::vector<std::byte>;

// Throws Error(failed) when an extent is negative or a size overflows.
std::size_t payload_size(const Layout& layout);

// What is to be sent, without a copy of it.
class Payload {
 public:
  // Keeps what owns the tensors' bytes.
  explicit Payload(NamedTensors tensors);

  const NamedTensors& tensors() const { return tensors_; }
  std::size_t size() const { return size_; }
  // Bytes offset .. offset + count - 1, or to the end where that comes first, as views in order: of the tensors, and of
  // zeros between them.
  std::vector<std::span<const std::byte>> pieces(std::size_t offset, std::size_t count) const;

 private:
  struct Piece {
    std::size_t begin;  // in the payload
    std::span<const std::byte> bytes;
  };

  NamedTensors tensors_;
  std::vector<Piece> pieces_;
  std::size_t size_ = 0;
};

// All of it in one piece.
std::shared_ptr<const Bytes> copy_of(const Payload& payload);

// Views of what has arrived, which keep `owner`. Throws Error(network) when the size is not the layout's.
NamedTensors tensors_in(const Layout& layout, std::span<const std::byte> payload, std::shared_ptr<const void> owner);
inline NamedTensors tensors_in(const Layout& layout, const std::shared_ptr<const Bytes>& payload) {
  return tensors_in(layout, *payload, payload);
}

}  // namespace fedtune::fed
