// The safetensors of a Hugging Face folder: one file, or shards with an index.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::io {

struct StoredTensor {
  TensorView view;
  std::shared_ptr<const void> owner;
  std::string file;  // its name within the folder
};

struct WeightFiles {
  std::vector<StoredTensor> tensors;
  // Of model.safetensors; of shards, over their names and hashes in the order of the names. Computed on a thread of its
  // own, for it takes as long as the rest of a start.
  std::shared_future<std::string> sha256;
};

// Opens model.safetensors, or else the shards that model.safetensors.index.json lists. Throws Error(input): neither is
// there (a pickle is refused with the way to convert it), a malformed file, or shards that do not hold what the index
// says.
WeightFiles open_weights(const std::filesystem::path& folder);

}  // namespace fedtune::io
