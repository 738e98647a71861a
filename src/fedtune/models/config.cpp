#include "fedtune/models/config.h"

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"
#include "fedtune/models/config_reader.h"
#include "fedtune/models/family.h"

namespace fedtune::models {
namespace {

void validate(const ModelConfig& config, const std::string& file) {
  constexpr std::int64_t most_layers = 1024;
  if (config.hidden_size % config.heads != 0) {
    throw input_error("{}: hidden size {} cannot be divided among {} attention heads", file, config.hidden_size,
                      config.heads);
  }
  if (config.layers > most_layers) {
    throw input_error("{}: {} layers, expected at most {}", file, config.layers, most_layers);
  }
  if (config.pad_token_id >= config.vocab_size) {
    throw input_error("{}: pad_token_id is {}, expected less than vocab_size {}", file, config.pad_token_id,
                      config.vocab_size);
  }
  if (config.longest_sentence() < 1) {
    throw input_error("{}: max_position_embeddings is {}, expected more than {}: a sentence's first position is {}",
                      file, config.max_positions, config.first_position, config.first_position);
  }
}

// The names of the classes, as transformers numbers them when nobody named them.
void set_class_names(nlohmann::json& target, std::int64_t num_labels) {
  nlohmann::json names = nlohmann::json::object();
  nlohmann::json numbers = nlohmann::json::object();
  for (std::int64_t i = 0; i < num_labels; ++i) {
    const std::string name = fmt::format("LABEL_{}", i);
    names[std::to_string(i)] = name;
    numbers[name] = i;
  }
  target["id2label"] = names;
  target["label2id"] = numbers;
}

}  // namespace

ModelConfig parse_config(const nlohmann::json& source, const std::string& file) {
  const ConfigReader reader(source, file);
  const Family& family = family_of(reader.text("model_type"), file);
  ModelConfig config = family.read_config(reader);
  config.model_type = family.model_type;
  config.num_labels = reader.num_labels();
  config.source = source;
  validate(config, file);
  return config;
}

ModelConfig read_config(const std::filesystem::path& file) {
  return parse_config(load_json(file), file.string());
}

nlohmann::json config_to_save(const ModelConfig& config) {
  nlohmann::json target = config.source;
  target["architectures"] = {family_of(config.model_type, "config.json").architecture};
  const auto names = target.find("id2label");
  if (names == target.end() || static_cast<std::int64_t>(names->size()) != config.num_labels) {
    set_class_names(target, config.num_labels);
  }
  target.erase("num_labels");
  target.erase("_name_or_path");
  target.erase("dtype");
  target["torch_dtype"] = "float32";
  return target;
}

}  // namespace fedtune::models
