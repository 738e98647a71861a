// The safetensors format: an 8-byte little-endian length, a JSON header, the tensors' bytes.
//
// The reader trusts nothing: every length is checked before it is used, and it allocates no more than twice the input
// plus 64 MB.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "fedtune/format/named_tensors.h"

namespace fedtune {

using Metadata = std::map<std::string, std::string>;

struct Safetensors {
  NamedTensors tensors;  // in the order of their bytes
  Metadata metadata;     // the header's "__metadata__"
};

// Bytes that something keeps alive, and what to call them in messages.
struct SafetensorsSource {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
  std::string name;
};

// Views into the source's bytes; tensors that lie there unaligned are copied. Throws Error(input) that names the
// source, the tensor, found and expected.
Safetensors parse_safetensors(const SafetensorsSource& source);

// Maps the file; the tensors keep the map alive.
Safetensors load_safetensors(const std::filesystem::path& path);

// The file's bytes without the tensors': length and header, padded with spaces to a multiple of 8. Throws Error(failed)
// where a view's bytes do not match its shape or a name occurs twice.
std::string safetensors_header(const NamedTensors& tensors, const Metadata& metadata = {});

// Crash-safe; the same bytes for the same tensors, which are written in the given order.
void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const Metadata& metadata = {});

// `folder`/`name`, which must exist. Throws Error(input); where there is only a pickle (`pickle_name`), the message
// says why it is not opened and how to convert it.
struct WeightFileNames {
  std::string safetensors = "model.safetensors";
  std::string pickle = "pytorch_model.bin";
};
std::filesystem::path find_weights(const std::filesystem::path& folder, const WeightFileNames& names = {});

}  // namespace fedtune
