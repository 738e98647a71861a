// safetensors files: read, written again, and read to the same.
#include "fedtune/format/safetensors.h"

#include <algorithm>
#include <memory>

#include "support.h"

namespace {

fedtune::Safetensors parsed(const std::shared_ptr<const std::string>& file) {
  return fedtune::parse_safetensors({.bytes = std::as_bytes(std::span(*file)), .owner = file, .name = "input"});
}

}  // namespace

FEDTUNE_FUZZ_TARGET(safetensors) {
  using namespace fedtune;
  const auto file = std::make_shared<const std::string>(fuzz::text_of(data, size));
  const auto read = fuzz::accepted([&] { return parsed(file); });
  if (!read) return 0;

  std::string written = safetensors_header(read->tensors, read->metadata);
  for (const TensorView& tensor : read->tensors.tensors) {
    written.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  const Safetensors again = parsed(std::make_shared<const std::string>(std::move(written)));
  fuzz::require(again.metadata == read->metadata, "metadata is written as it was read");
  fuzz::require(layout_of(again.tensors) == layout_of(read->tensors), "names, types and shapes are too");
  fuzz::require(
      std::ranges::equal(again.tensors.tensors, read->tensors.tensors,
                         [](const TensorView& a, const TensorView& b) { return std::ranges::equal(a.bytes, b.bytes); }),
      "and values");
  return 0;
}
