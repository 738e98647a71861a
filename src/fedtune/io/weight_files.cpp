#include "fedtune/io/weight_files.h"

#include <map>
#include <set>

#include "fedtune/base/error.h"
#include "fedtune/base/sha256.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"

namespace fedtune::io {
namespace {

constexpr const char* index_name = "model.safetensors.index.json";

void append(std::vector<StoredTensor>& all, const std::filesystem::path& file) {
  const NamedTensors opened = load_safetensors(file).tensors;
  for (const TensorView& view : opened.tensors) all.push_back({view, opened.owner, file.filename().string()});
}

// Tensor -> shard, as the index says.
std::map<std::string, std::string> read_index(const std::filesystem::path& index) {
  const auto weight_map = required<nlohmann::json>(load_json(index), "weight_map", index.string());
  if (!weight_map.is_object())
    throw input_error("{}: weight_map must be an object of tensor and file names", index.string());
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : weight_map.items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || std::filesystem::path(name).filename() != name) {
      throw input_error("{}: weight_map names {} for {}, expected a file beside the index", index.string(), file.dump(),
                        tensor);
    }
    files[tensor] = name;
  }
  return files;
}

WeightFiles open_shards(const std::filesystem::path& folder) {
  const auto index = folder / index_name;
  const auto expected = read_index(index);
  std::set<std::string> shards;
  for (const auto& [tensor, file] : expected) shards.insert(file);

  WeightFiles weights;
  for (const std::string& shard : shards) append(weights.tensors, folder / shard);
  weights.sha256 = std::async(std::launch::async, [folder, shards] {
    Sha256 hash;
    for (const std::string& shard : shards) hash.update(shard).update(sha256_of_file(folder / shard));
    return hash.hex();
  });

  std::map<std::string, std::string> found;
  for (const StoredTensor& tensor : weights.tensors) found[tensor.view.name] = tensor.file;
  for (const auto& [tensor, file] : expected) {
    if (!found.contains(tensor)) throw input_error("{}: {} is not in {}", index.string(), tensor, file);
  }
  return weights;
}

}  // namespace

WeightFiles open_weights(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "model.safetensors") && std::filesystem::exists(folder / index_name)) {
    return open_shards(folder);
  }
  const auto file = find_weights(folder);
  WeightFiles weights;
  append(weights.tensors, file);
  weights.sha256 = std::async(std::launch::async, [file] { return sha256_of_file(file); });
  return weights;
}

}  // namespace fedtune::io
