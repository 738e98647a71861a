// Tensors as names and bytes: what files hold, what travels, what the round engine moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune {

enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

std::size_t item_size(DType dtype);
// As safetensors spells it: "F32", "BF16", "I64", "BOOL", ...
std::string_view dtype_name(DType dtype);
// The type that dtype_name spells so; nullopt for any other name.
std::optional<DType> dtype_from(std::string_view name);
// Bytes that a tensor takes; nullopt when an extent is negative or a product overflows.
std::optional<std::uint64_t> byte_size(DType dtype, std::span<const std::int64_t> shape);

// One tensor's name, type, shape and little-endian, row-major bytes. Does not own the bytes.
struct TensorView {
  std::string name{};
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape{};
  std::span<const std::byte> bytes{};

  std::int64_t count() const;
  // The values, for dtype f32; throws Error(failed) for another type or unaligned bytes.
  std::span<const float> f32() const;
};

// "[768, 8]"
std::string shape_text(std::span<const std::int64_t> shape);

// Tensors in an order that matters (the wire's, the file's), with what keeps their bytes alive. Cheap to copy.
struct NamedTensors {
  std::vector<TensorView> tensors{};
  std::shared_ptr<const void> owner{};  // a mapped file, a buffer, the torch tensors viewed
  bool mapped = false;                  // all bytes lie in one MappedFile

  // nullptr where the name is absent.
  const TensorView* find(std::string_view name) const;
  std::size_t total_bytes() const;
  // Where the tensors are mapped, lets their pages go; nothing where they are not. For whoever has read them: many
  // contributions do not fit into memory at once.
  void release_pages() const;

 private:
  std::span<const std::byte> extent() const;
};

// For whoever reads tensors from the first to the last: lets their pages go behind it, some megabytes at once. Each
// time interrupts all threads of the process, so that page by page it would cost more than the reading.
class ReadOnce {
 public:
  // `tensors` outlives it.
  explicit ReadOnce(const NamedTensors& tensors) : tensors_(tensors) {}
  ~ReadOnce() { tensors_.release_pages(); }
  ReadOnce(const ReadOnce&) = delete;
  ReadOnce& operator=(const ReadOnce&) = delete;
  // So many bytes more have been read.
  void advance(std::size_t bytes);

 private:
  const NamedTensors& tensors_;
  std::size_t held_ = 0;
};

// A name, a type and a shape without values: what a set of tensors must look like.
struct TensorSpec {
  std::string name{};
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape{};
  bool operator==(const TensorSpec&) const = default;
};
using Layout = std::vector<TensorSpec>;

Layout layout_of(const NamedTensors& tensors);

}  // namespace fedtune
