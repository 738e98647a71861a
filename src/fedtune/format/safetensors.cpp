#include "fedtune/format/safetensors.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/format/safetensors_header.h"

namespace fedtune {
namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::size_t alignment = 8;

std::uint64_t read_length(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return length;
}

std::string length_text(std::uint64_t length) {
  std::string text;
  for (std::size_t i = 0; i < length_bytes; ++i) text += static_cast<char>((length >> (8 * i)) & 0xff);
  return text;
}

std::uint64_t check_header_length(const SafetensorsSource& source) {
  if (source.bytes.size() < length_bytes) {
    throw input_error("{}: {} bytes, too short for a safetensors file; fetch it again", source.name,
                      source.bytes.size());
  }
  const std::uint64_t length = read_length(source.bytes);
  if (length > SafetensorsLimits::header_bytes) {
    throw input_error("{}: header length {} is more than the format's {}; is it a safetensors file?", source.name,
                      length, SafetensorsLimits::header_bytes);
  }
  if (length > source.bytes.size() - length_bytes) {
    throw input_error(
        "{}: header length {} is more than the {} bytes that follow; the file is truncated, fetch it again",
        source.name, length, source.bytes.size() - length_bytes);
  }
  return length;
}

void check_names(const std::vector<HeaderEntry>& entries, const std::string& source) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const HeaderEntry& entry : entries) names.push_back(entry.spec.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw input_error("{}: tensor '{}' occurs twice", source, *twice);
}

// Entries sorted by their bytes must cover the data from its beginning to its end without gap or overlap.
void check_offsets(const std::vector<HeaderEntry>& entries, std::uint64_t data_size, const std::string& source) {
  std::uint64_t expected = 0;
  for (const HeaderEntry& entry : entries) {
    if (entry.begin != expected || entry.end < entry.begin) {
      throw input_error(
          "{}: tensor '{}': its bytes are [{}, {}), expected to begin at {}, where the one before it ends", source,
          entry.spec.name, entry.begin, entry.end, expected);
    }
    const auto size = byte_size(entry.spec.dtype, entry.spec.shape);
    if (!size) {
      throw input_error("{}: tensor '{}': shape {} is too large", source, entry.spec.name,
                        shape_text(entry.spec.shape));
    }
    if (*size != entry.end - entry.begin) {
      throw input_error("{}: tensor '{}': {} bytes, expected {} for {} {}", source, entry.spec.name,
                        entry.end - entry.begin, *size, dtype_name(entry.spec.dtype), shape_text(entry.spec.shape));
    }
    expected = entry.end;
  }
  if (expected != data_size) {
    throw input_error("{}: the tensors end at byte {} of the data, which has {}; the file is {}, fetch it again",
                      source, expected, data_size, expected > data_size ? "truncated" : "damaged");
  }
}

bool is_aligned(const TensorView& tensor) {
  return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % item_size(tensor.dtype) == 0;
}

// A file may place its tensors at any byte; those that cannot be read in place move to a buffer that the owner carries
// along.
void align(NamedTensors& tensors) {
  const auto padded = [](std::size_t size) { return (size + alignment - 1) / alignment * alignment; };
  std::size_t total = 0;
  for (const TensorView& tensor : tensors.tensors) total += is_aligned(tensor) ? 0 : padded(tensor.bytes.size());
  if (total == 0) return;

  struct Owner {
    std::shared_ptr<const void> source;
    std::vector<std::uint64_t> copies;
  };
  auto owner = std::make_shared<Owner>(Owner{tensors.owner, std::vector<std::uint64_t>(total / alignment)});
  auto* next = reinterpret_cast<std::byte*>(owner->copies.data());
  for (TensorView& tensor : tensors.tensors) {
    if (is_aligned(tensor)) continue;
    std::memcpy(next, tensor.bytes.data(), tensor.bytes.size());
    tensor.bytes = {next, tensor.bytes.size()};
    next += padded(tensor.bytes.size());
  }
  tensors.owner = owner;
}

}  // namespace

Safetensors parse_safetensors(const SafetensorsSource& source) {
  const std::uint64_t header_length = check_header_length(source);
  const std::span<const std::byte> header_bytes = source.bytes.subspan(length_bytes, header_length);
  const std::span<const std::byte> data = source.bytes.subspan(length_bytes + header_length);
  SafetensorsHeader header =
      parse_safetensors_header({reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size()}, source.name);

  std::stable_sort(header.entries.begin(), header.entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_names(header.entries, source.name);
  check_offsets(header.entries, data.size(), source.name);

  Safetensors result{.tensors = {.tensors = {}, .owner = source.owner}, .metadata = std::move(header.metadata)};
  result.tensors.tensors.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) {
    result.tensors.tensors.push_back({.name = std::move(entry.spec.name),
                                      .dtype = entry.spec.dtype,
                                      .shape = std::move(entry.spec.shape),
                                      .bytes = data.subspan(entry.begin, entry.end - entry.begin)});
  }
  align(result.tensors);
  return result;
}

Safetensors load_safetensors(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  return parse_safetensors({.bytes = file->bytes(), .owner = file, .name = path.string()});
}

std::string safetensors_header(const NamedTensors& tensors, const Metadata& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorView& tensor : tensors.tensors) {
    if (byte_size(tensor.dtype, tensor.shape) != tensor.bytes.size()) {
      throw failed("writing tensor '{}': {} bytes do not make {} {}", tensor.name, tensor.bytes.size(),
                   dtype_name(tensor.dtype), shape_text(tensor.shape));
    }
    const std::uint64_t end = offset + tensor.bytes.size();
    header[tensor.name] = {
        {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  if (header.size() != tensors.tensors.size() + (metadata.empty() ? 0 : 1)) {
    throw failed("writing tensors: a name occurs twice, or is '__metadata__'");
  }
  std::string text = header.dump();
  text.append((alignment - text.size() % alignment) % alignment, ' ');
  return length_text(text.size()) + text;
}

void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata) {
  AtomicFile file(path);
  file.write(safetensors_header(tensors, metadata));
  for (const TensorView& tensor : tensors.tensors) file.write(tensor.bytes);
  file.commit();
}

}  // namespace fedtune
