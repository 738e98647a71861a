#include <filesystem>

#include "fedtune/base/error.h"
#include "fedtune/format/safetensors.h"

namespace fedtune {

std::filesystem::path find_weights(const std::filesystem::path& folder, const WeightFileNames& names) {
  std::error_code ignored;
  const std::filesystem::path wanted = folder / names.safetensors;
  if (std::filesystem::exists(wanted, ignored)) return wanted;
  if (std::filesystem::exists(folder / names.pickle, ignored)) {
    throw input_error(
        "{}: there is {} but no {}. A pickle can run any program when it is opened, so it never is. Convert it where "
        "you "
        "trust it: python3 -c \"from transformers import AutoModel; "
        "AutoModel.from_pretrained('{}').save_pretrained('{}', safe_serialization=True)\"",
        folder.string(), names.pickle, names.safetensors, folder.string(), folder.string());
  }
  if (std::filesystem::exists(folder / (names.safetensors + ".index.json"), ignored)) {
    throw input_error(
        "{}: the weights are in several files; expected one {}. Save the model again with "
        "save_pretrained(..., max_shard_size='100GB')",
        folder.string(), names.safetensors);
  }
  throw input_error("{}: no {} there; check the path, or fetch the model again", folder.string(), names.safetensors);
}

}  // namespace fedtune
