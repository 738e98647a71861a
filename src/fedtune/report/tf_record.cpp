#include "fedtune/report/tf_record.h"

#include <array>
#include <bit>

namespace fedtune::report {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t castagnoli = 0x82f63b78;  // 0x1edc6f41 with its bits reversed
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? castagnoli : 0);
    table[byte] = crc;
  }
  return table;
}

template <typename Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

enum WireType : std::uint64_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

std::string as_varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string field(std::uint64_t number, WireType type) {
  return as_varint(number << 3 | type);
}

std::string text_field(std::uint64_t number, std::string_view text) {
  return field(number, length_delimited) + as_varint(text.size()) + std::string(text);
}

// Summary.Value: tag = 1, simple_value = 2.
std::string value_message(const Scalar& scalar) {
  return text_field(1, scalar.tag) + field(2, fixed32) + little_endian(std::bit_cast<std::uint32_t>(scalar.value));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> table = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8;
}

std::string tf_record(std::string_view payload) {
  const std::string length = little_endian(std::uint64_t{payload.size()});
  return length + little_endian(masked_crc32c(length)) + std::string(payload) + little_endian(masked_crc32c(payload));
}

// Event: wall_time = 1, step = 2, file_version = 3, summary = 5; Summary: value = 1.
std::string encoded(const BoardEvent& event) {
  std::string message = field(1, fixed64) + little_endian(std::bit_cast<std::uint64_t>(event.wall_time));
  if (event.step != 0) message += field(2, varint) + as_varint(static_cast<std::uint64_t>(event.step));
  if (!event.file_version.empty()) message += text_field(3, event.file_version);
  if (event.scalars.empty()) return message;
  std::string summary;
  for (const Scalar& scalar : event.scalars) summary += text_field(1, value_message(scalar));
  return message + text_field(5, summary);
}

}  // namespace fedtune::report
