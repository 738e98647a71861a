#include "fedtune/format/named_tensors.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"

namespace fedtune {
namespace {

struct TypeFacts {
  std::string_view name;
  std::size_t item_size;
};

// In the order of DType.
constexpr std::array<TypeFacts, 10> types{{{"F64", 8},
                                           {"F32", 4},
                                           {"F16", 2},
                                           {"BF16", 2},
                                           {"I64", 8},
                                           {"I32", 4},
                                           {"I16", 2},
                                           {"I8", 1},
                                           {"U8", 1},
                                           {"BOOL", 1}}};

const TypeFacts& facts(DType dtype) {
  return types.at(static_cast<std::size_t>(dtype));
}

}  // namespace

std::size_t item_size(DType dtype) {
  return facts(dtype).item_size;
}

std::string_view dtype_name(DType dtype) {
  return facts(dtype).name;
}

std::optional<DType> dtype_from(std::string_view name) {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int64_t TensorView::count() const {
  return static_cast<std::int64_t>(bytes.size() / item_size(dtype));
}

std::span<const float> TensorView::f32() const {
  if (dtype != DType::f32) throw failed("tensor '{}': found {}, expected F32", name, dtype_name(dtype));
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) != 0) {
    throw failed("tensor '{}': its bytes are not aligned for F32", name);
  }
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

const TensorView* NamedTensors::find(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

std::size_t NamedTensors::total_bytes() const {
  std::size_t total = 0;
  for (const TensorView& tensor : tensors) total += tensor.bytes.size();
  return total;
}

// From the first byte to the last, wherever the tensors lie in between.
std::span<const std::byte> NamedTensors::extent() const {
  std::span<const std::byte> all;
  for (const TensorView& tensor : tensors) {
    if (tensor.bytes.empty()) continue;
    const std::byte* const begin = all.empty() ? tensor.bytes.data() : std::min(all.data(), tensor.bytes.data());
    const std::byte* const end = std::max(all.data() + all.size(), tensor.bytes.data() + tensor.bytes.size());
    all = {begin, end};
  }
  return all;
}

void NamedTensors::release_pages() const {
  if (mapped) fedtune::release_pages(extent());
}

void ReadOnce::advance(std::size_t bytes) {
  constexpr std::size_t most = std::size_t{4} << 20U;
  held_ += bytes;
  if (held_ < most) return;
  tensors_.release_pages();
  held_ = 0;
}

Layout layout_of(const NamedTensors& tensors) {
  Layout layout;
  layout.reserve(tensors.tensors.size());
  for (const TensorView& tensor : tensors.tensors) layout.push_back({tensor.name, tensor.dtype, tensor.shape});
  return layout;
}

std::optional<std::uint64_t> byte_size(DType dtype, std::span<const std::int64_t> shape) {
  std::uint64_t size = item_size(dtype);
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    empty = empty || extent == 0;
    overflow = __builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size) || overflow;
  }
  if (overflow) return std::nullopt;
  return empty ? 0 : size;
}

}  // namespace fedtune
