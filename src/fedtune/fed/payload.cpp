#include "fedtune/fed/payload.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "fedtune/base/error.h"

namespace fedtune::fed {
namespace {

constexpr std::size_t alignment = 8;

std::size_t aligned(std::size_t offset) {
  return (offset + alignment - 1) / alignment * alignment;
}

std::size_t size_of(const TensorSpec& spec) {
  const std::optional<std::uint64_t> size = byte_size(spec.dtype, spec.shape);
  if (!size || *size > std::numeric_limits<std::uint32_t>::max() * std::uint64_t{1024}) {
    throw failed("a payload: tensor {} of shape {} has no size that fits", spec.name, shape_text(spec.shape));
  }
  return static_cast<std::size_t>(*size);
}

}  // namespace

std::size_t payload_size(const Layout& layout) {
  std::size_t end = 0;
  for (const TensorSpec& spec : layout) end = aligned(end) + size_of(spec);
  return end;
}

Payload::Payload(NamedTensors tensors) : tensors_(std::move(tensors)) {
  static constexpr std::array<std::byte, alignment> zeros{};
  const auto add = [&](std::span<const std::byte> bytes) {
    if (!bytes.empty()) pieces_.push_back({.begin = size_, .bytes = bytes});
    size_ += bytes.size();
  };
  for (const TensorView& tensor : tensors_.tensors) {
    add(std::span(zeros).first(aligned(size_) - size_));
    add(tensor.bytes);
  }
}

std::vector<std::span<const std::byte>> Payload::pieces(std::size_t offset, std::size_t count) const {
  std::vector<std::span<const std::byte>> found;
  if (offset >= size_) return found;
  const std::size_t end = offset + std::min(count, size_ - offset);
  // The last piece that starts at `offset` or before it.
  auto piece = std::ranges::upper_bound(pieces_, offset, {}, &Piece::begin);
  if (piece != pieces_.begin()) --piece;
  for (; piece != pieces_.end() && piece->begin < end; ++piece) {
    const std::size_t skipped = std::max(offset, piece->begin) - piece->begin;
    const std::size_t taken = std::min(end - piece->begin, piece->bytes.size()) - skipped;
    if (taken > 0) found.push_back(piece->bytes.subspan(skipped, taken));
  }
  return found;
}

std::shared_ptr<const Bytes> copy_of(const Payload& payload) {
  auto copy = std::make_shared<Bytes>();
  copy->reserve(payload.size());
  for (const auto piece : payload.pieces(0, payload.size())) copy->insert(copy->end(), piece.begin(), piece.end());
  return copy;
}

NamedTensors tensors_in(const Layout& layout, std::span<const std::byte> payload, std::shared_ptr<const void> owner) {
  if (payload.size() != payload_size(layout)) {
    throw network_error("a payload has {} bytes, expected {}", payload.size(), payload_size(layout));
  }
  NamedTensors result;
  std::size_t offset = 0;
  for (const TensorSpec& spec : layout) {
    offset = aligned(offset);
    const std::size_t size = size_of(spec);
    result.tensors.push_back(
        {.name = spec.name, .dtype = spec.dtype, .shape = spec.shape, .bytes = payload.subspan(offset, size)});
    offset += size;
  }
  result.owner = std::move(owner);
  return result;
}

}  // namespace fedtune::fed
