#include "fedtune/hub/needed_files.h"

#include <algorithm>
#include <array>
#include <set>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"
#include "fedtune/hub/repository.h"

namespace fedtune::hub {
namespace {

constexpr std::string_view weights = "model.safetensors";
constexpr std::string_view index_of_shards = "model.safetensors.index.json";
constexpr std::array<std::string_view, 8> small_files{"config.json",
                                                      "tokenizer.json",
                                                      "tokenizer_config.json",
                                                      "special_tokens_map.json",
                                                      "added_tokens.json",
                                                      "vocab.txt",
                                                      "vocab.json",
                                                      "merges.txt"};
constexpr std::array<std::string_view, 4> table_endings{".parquet", ".jsonl", ".csv", ".tsv"};

bool holds(std::span<const std::string> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// "train-00000-of-00001.parquet" is of the split "train", "validation_matched-..." and "dev.tsv" are validation's.
bool is_table(std::string_view name, std::string_view ending) {
  if (!name.ends_with(ending) || name.find('/') != std::string_view::npos) return false;
  for (const std::string_view split : {"train", "validation", "dev"}) {
    if (!name.starts_with(split)) continue;
    const char next = name[split.size()];
    if (next == '.' || next == '-' || next == '_') return true;
  }
  return false;
}

std::vector<std::string> tables_of_folder(std::span<const std::string> names, const std::string& folder) {
  for (const std::string_view ending : table_endings) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
      if (name.starts_with(folder) && is_table(std::string_view(name).substr(folder.size()), ending)) {
        found.push_back(name);
      }
    }
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

std::vector<std::string> shards_of_index(std::string_view index, const std::string& source) {
  const auto weight_map = required<nlohmann::json>(parse_json(index, source), "weight_map", source);
  if (!weight_map.is_object()) {
    throw input_error("{}: weight_map must be an object of tensor and file names", source);
  }
  std::set<std::string> shards;
  for (const auto& [tensor, file] : weight_map.items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (!is_name(name) || !name.ends_with(".safetensors")) {
      throw input_error("{}: weight_map names {} for {}, expected a safetensors file beside the index", source,
                        file.dump(), tensor);
    }
    shards.insert(name);
  }
  return {shards.begin(), shards.end()};
}

std::vector<std::string> needed_of_model(std::span<const std::string> names) {
  std::vector<std::string> needed;
  for (const std::string_view name : small_files) {
    if (holds(names, name)) needed.emplace_back(name);
  }
  if (holds(names, weights)) {
    needed.emplace_back(weights);
  } else if (holds(names, index_of_shards)) {
    needed.emplace_back(index_of_shards);
  }
  return needed;
}

std::vector<std::string> needed_of_dataset(std::span<const std::string> names, std::string_view subset) {
  for (const std::string& folder : {std::string(subset) + "/", std::string("data/"), std::string()}) {
    if (std::vector<std::string> tables = tables_of_folder(names, folder); !tables.empty()) return tables;
  }
  return {};
}

std::string missing_of_model(std::span<const std::string> names) {
  if (!holds(names, "config.json")) return "a config.json";
  if (!holds(names, weights) && !holds(names, index_of_shards)) {
    const bool pickle =
        std::ranges::any_of(names, [](const std::string& name) { return name.starts_with("pytorch_model"); });
    return fmt::format("a {}{}", weights,
                       pickle ? " (its pytorch_model.bin is a pickle, which can run any program when it is opened, "
                                "so it is neither fetched nor read)"
                              : "");
  }
  const bool byte_pairs = holds(names, "vocab.json") && holds(names, "merges.txt");
  if (!holds(names, "tokenizer.json") && !holds(names, "vocab.txt") && !byte_pairs) {
    return "a tokenizer (tokenizer.json, or vocab.txt, or vocab.json with merges.txt)";
  }
  return "";
}

std::string missing_of_dataset(std::span<const std::string> names, std::string_view subset) {
  const std::vector<std::string> tables = needed_of_dataset(names, subset);
  const auto has = [&](std::string_view split) {
    return std::ranges::any_of(
        tables, [&](const std::string& name) { return name.substr(name.rfind('/') + 1).starts_with(split); });
  };
  if (!has("train")) return fmt::format("a training table (such as {}/train-*.parquet)", subset);
  if (!has("validation") && !has("dev")) {
    return fmt::format("a validation table (such as {}/validation-*.parquet)", subset);
  }
  return "";
}

}  // namespace fedtune::hub
