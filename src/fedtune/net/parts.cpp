#include "fedtune/net/parts.h"

#include <array>
#include <string>
#include <utility>

namespace fedtune::net::wire {
namespace {

constexpr std::uint8_t payload_key = (2U << 3U) | 2U;  // field 2, length-delimited
constexpr std::size_t longest_varint = 10;

// The field's key and length, in front of the bytes.
grpc::Slice field_head(std::size_t length) {
  std::array<std::uint8_t, 1 + longest_varint> head{payload_key};
  std::size_t size = 1;
  for (; length >= 0x80U; length >>= 7U) head[size++] = static_cast<std::uint8_t>(length | 0x80U);
  head[size++] = static_cast<std::uint8_t>(length);
  return {head.data(), size};
}

// A view that keeps the payload it belongs to.
grpc::Slice view_of(std::span<const std::byte> bytes, const std::shared_ptr<const fed::Payload>& payload) {
  using Keeper = std::shared_ptr<const fed::Payload>;
  return {const_cast<std::byte*>(bytes.data()), bytes.size(), [](void* keeper) { delete static_cast<Keeper*>(keeper); },
          new Keeper(payload)};
}

// Reads bytes over the ends of slices.
class SliceReader {
 public:
  explicit SliceReader(std::vector<grpc::Slice> slices) : slices_(std::move(slices)) {}

  std::optional<std::uint8_t> next() {
    while (slice_ < slices_.size() && offset_ == slices_[slice_].size()) {
      ++slice_;
      offset_ = 0;
    }
    if (slice_ == slices_.size()) return std::nullopt;
    return slices_[slice_].begin()[offset_++];
  }
  std::vector<grpc::Slice> rest() {
    std::vector<grpc::Slice> rest;
    for (; slice_ < slices_.size(); ++slice_, offset_ = 0) {
      const grpc::Slice& slice = slices_[slice_];
      if (offset_ < slice.size()) rest.push_back(slice.sub(offset_, slice.size()));
    }
    return rest;
  }

 private:
  std::vector<grpc::Slice> slices_;
  std::size_t slice_ = 0;
  std::size_t offset_ = 0;
};

std::optional<std::uint64_t> read_varint(SliceReader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::optional<std::uint8_t> byte = reader.next();
    if (!byte) return std::nullopt;
    value |= static_cast<std::uint64_t>(*byte & 0x7fU) << shift;
    if ((*byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

Part payload_part(const std::shared_ptr<const fed::Payload>& payload, std::size_t offset) {
  const std::vector<std::span<const std::byte>> pieces = payload->pieces(offset, part_bytes);
  Part part;
  for (const auto piece : pieces) part.bytes += piece.size();
  std::vector<grpc::Slice> slices{field_head(part.bytes)};
  for (const auto piece : pieces) slices.push_back(view_of(piece, payload));
  part.message = grpc::ByteBuffer(slices.data(), slices.size());
  return part;
}

std::optional<std::vector<grpc::Slice>> payload_in(const grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  if (!message.Valid() || !message.Dump(&slices).ok()) return std::nullopt;
  SliceReader reader(std::move(slices));
  if (reader.next() != payload_key) return std::nullopt;
  const std::optional<std::uint64_t> length = read_varint(reader);
  std::vector<grpc::Slice> rest = reader.rest();
  std::uint64_t found = 0;
  for (const grpc::Slice& slice : rest) found += slice.size();
  if (length != found) return std::nullopt;
  return rest;
}

grpc::ByteBuffer message_from(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

bool read_message(const grpc::ByteBuffer& message, google::protobuf::MessageLite& read) {
  grpc::Slice slice;
  return message.Valid() && message.DumpToSingleSlice(&slice).ok() &&
         read.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

}  // namespace fedtune::net::wire
