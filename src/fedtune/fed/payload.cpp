#include "fedtune/fed/payload.h"

#include <algorithm>
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

std::shared_ptr<const Bytes> payload_of(const NamedTensors& tensors) {
  auto payload = std::make_shared<Bytes>();
  payload->reserve(payload_size(layout_of(tensors)));
  for (const TensorView& tensor : tensors.tensors) {
    payload->resize(aligned(payload->size()));
    payload->insert(payload->end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  return payload;
}

NamedTensors tensors_in(const Layout& layout, std::shared_ptr<const Bytes> payload) {
  if (payload->size() != payload_size(layout)) {
    throw network_error("a payload has {} bytes, expected {}", payload->size(), payload_size(layout));
  }
  NamedTensors result;
  const std::span bytes(*payload);
  std::size_t offset = 0;
  for (const TensorSpec& spec : layout) {
    offset = aligned(offset);
    const std::size_t size = size_of(spec);
    result.tensors.push_back(
        {.name = spec.name, .dtype = spec.dtype, .shape = spec.shape, .bytes = bytes.subspan(offset, size)});
    offset += size;
  }
  result.owner = std::move(payload);
  return result;
}

}  // namespace fedtune::fed
