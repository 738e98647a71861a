#include "fedtune/format/npy.h"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t npy_alignment = 64;

constexpr std::array<std::pair<DType, std::string_view>, 9> spellings{{{DType::f64, "<f8"},
                                                                       {DType::f32, "<f4"},
                                                                       {DType::f16, "<f2"},
                                                                       {DType::i64, "<i8"},
                                                                       {DType::i32, "<i4"},
                                                                       {DType::i16, "<i2"},
                                                                       {DType::i8, "|i1"},
                                                                       {DType::u8, "|u1"},
                                                                       {DType::boolean, "|b1"}}};

// Reads the header's Python dictionary: three keys in any order, as NumPy writes it.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text) : rest_(text) {}

  TensorView read() {
    std::optional<DType> dtype;
    std::optional<std::vector<std::int64_t>> shape;
    std::optional<bool> fortran;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !dtype) {
        dtype = read_dtype();
      } else if (key == "fortran_order" && !fortran) {
        fortran = read_bool();
      } else if (key == "shape" && !shape) {
        shape = read_shape();
      } else {
        throw bad("an unknown or repeated key");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty()) throw bad("something follows the dictionary");
    if (!dtype || !shape || !fortran) throw bad("a key is missing");
    if (*fortran && shape->size() > 1) throw input_error(".npy: the array is in Fortran order, expected C order");
    return {.name = {}, .dtype = *dtype, .shape = std::move(*shape)};
  }

 private:
  static Error bad(std::string_view what) { return input_error(".npy: the header cannot be read: {}", what); }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) throw bad(fmt::format("'{}' was expected", c));
  }
  std::string_view quoted() {
    skip_spaces();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') throw bad("a string was expected");
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) throw bad("a string has no end");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  DType read_dtype() {
    skip_spaces();
    if (rest_.starts_with('[')) throw input_error(".npy: an array of structures, expected one of numbers");
    const std::string_view text = quoted();
    for (const auto& [dtype, spelling] : spellings) {
      if (text == spelling) return dtype;
    }
    throw input_error(".npy: values of type '{}', expected little-endian numbers such as '<f4'", text);
  }
  bool read_bool() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    throw bad("True or False was expected");
  }
  std::vector<std::int64_t> read_shape() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!take(')')) {
      skip_spaces();
      std::int64_t extent = -1;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc{} || extent < 0) throw bad("an extent was expected");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      shape.push_back(extent);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view rest_;
};

std::string shape_tuple(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (const std::int64_t extent : shape) text += fmt::format("{}, ", extent);
  if (shape.size() > 1) text.resize(text.size() - 2);
  if (shape.size() == 1) text.resize(text.size() - 1);
  return text + ")";
}

}  // namespace

std::string npy_from(const TensorView& tensor) {
  std::string_view spelling;
  for (const auto& [dtype, text] : spellings) {
    if (dtype == tensor.dtype) spelling = text;
  }
  if (spelling.empty()) throw failed(".npy: NumPy has no type for {}", dtype_name(tensor.dtype));
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", spelling, shape_tuple(tensor.shape));
  constexpr std::size_t before = 10;  // magic, version, length
  header.resize((before + header.size() + npy_alignment) / npy_alignment * npy_alignment - before - 1, ' ');
  header += '\n';
  std::string npy(magic);
  npy += {'\x01', '\x00', static_cast<char>(header.size() & 0xffU), static_cast<char>(header.size() >> 8U)};
  npy += header;
  npy.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return npy;
}

TensorView npy_view(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < 12 || !text.starts_with(magic)) throw input_error(".npy: the bytes do not begin as one does");
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(bytes[at]); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) throw input_error(".npy: version {}, expected 1 to 3", version);
  const std::size_t before = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8U;
  if (version > 1) length |= byte(10) << 16U | byte(11) << 24U;
  if (length > longest_npy_header || length > text.size() - before) {
    throw input_error(".npy: a header of {} bytes, expected at most {}", length,
                      std::min(longest_npy_header, text.size() - before));
  }
  TensorView tensor = DictionaryReader(text.substr(before, length)).read();
  tensor.bytes = bytes.subspan(before + length);
  const std::optional<std::uint64_t> size = byte_size(tensor.dtype, tensor.shape);
  if (!size || *size != tensor.bytes.size()) {
    throw input_error(".npy: {} bytes of values, which are not an array {} of {}", tensor.bytes.size(),
                      shape_text(tensor.shape), dtype_name(tensor.dtype));
  }
  return tensor;
}

}  // namespace fedtune
