#include "fedtune/format/tensor_hash.h"

#include <string_view>

namespace fedtune {
namespace {

void add_number(Sha256& hash, std::uint64_t number) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>((number >> (8 * i)) & 0xff);
  hash.update(bytes);
}

}  // namespace

void TensorHash::begin(const TensorView& tensor) {
  hash_.update(tensor.name).update(std::string_view("\0", 1)).update(dtype_name(tensor.dtype));
  add_number(hash_, tensor.shape.size());
  for (const std::int64_t extent : tensor.shape) add_number(hash_, static_cast<std::uint64_t>(extent));
}

std::string final_sha256(const NamedTensors& tensors) {
  TensorHash hash;
  for (const TensorView& tensor : tensors.tensors) {
    hash.begin(tensor);
    hash.add(tensor.bytes);
  }
  return hash.hex();
}

}  // namespace fedtune
