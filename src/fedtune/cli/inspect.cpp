#include "fedtune/cli/inspect.h"

#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/cli/command_line.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/run_results.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/train/student.h"

namespace fedtune::cli {
namespace {

namespace fs = std::filesystem;

std::int64_t count_numbers(const Layout& layout) {
  std::int64_t count = 0;
  for (const TensorSpec& spec : layout) {
    count += std::accumulate(spec.shape.begin(), spec.shape.end(), std::int64_t{1}, std::multiplies<>());
  }
  return count;
}

// "739586 numbers, 2.96 MB"
std::string traffic_text(const Layout& layout) {
  const std::int64_t numbers = count_numbers(layout);
  return fmt::format("{} numbers, {}", numbers, bytes_text(4.0 * static_cast<double>(numbers)));
}

void add_split(Facts& facts, const std::string& split, const data::Sentences& sentences, std::int64_t classes) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(classes));
  for (const data::Sentence& sentence : sentences) ++labels[static_cast<std::size_t>(sentence.label)];
  facts[split + " sentences"] = sentences.size();
  facts[split + " labels"] = labels;
}

// Throws what at() throws where there is none.
const nlohmann::json& last_of(const nlohmann::json& list) {
  return list.at(list.size() - 1);
}

void add_scores(Facts& facts, const nlohmann::json& results) {
  const nlohmann::json& ours = results.at("fedtune");
  const nlohmann::json& last = last_of(ours.at("metrics"));
  facts["accuracy"] = last.at("accuracy");
  facts["majority accuracy"] = ours.at("majority_accuracy");
  facts["MCC"] = last.at("mcc");
  facts["bytes up, last round"] = last_of(ours.at("bytes")).at("up");
  facts["bytes down, last round"] = last_of(ours.at("bytes")).at("down");
  facts["final_sha256"] = ours.at("final_sha256");
}

}  // namespace

Facts inspect_tensors(const fs::path& file) {
  const Safetensors stored = load_safetensors(file);
  Facts facts{{"kind", "tensors"}, {"numbers", count_numbers(layout_of(stored.tensors))}};
  for (const TensorView& tensor : stored.tensors.tensors) {
    facts[tensor.name] = fmt::format("{} {}", dtype_name(tensor.dtype), shape_text(tensor.shape));
  }
  return facts;
}

Facts inspect_sentences(const fs::path& file) {
  const data::Sentences sentences = data::read_sentences(file, 0);
  Facts facts{{"kind", "labelled sentences"}};
  add_split(facts, "file", sentences, data::count_classes(sentences));
  return facts;
}

Facts inspect_run(const fs::path& folder) {
  Options options;
  set_options(read_config(folder / "config.toml"), options);
  const bool finished = fs::exists(folder / "results.json");
  Facts facts{{"kind", "run"},
              {"state", finished ? "finished" : fmt::format("not finished; fedtune run --resume {}", folder.string())},
              {"scheme", word(options.federation.scheme)},
              {"clients", options.federation.num_clients},
              {"rounds", options.federation.num_rounds},
              {"checkpoint", options.models.client_ckpt},
              {"data", options.data.data_path}};
  if (!finished) return facts;
  const fs::path file = folder / "results.json";
  try {
    add_scores(facts, load_json(file));
  } catch (const nlohmann::json::exception& error) {
    throw input_error("{}: not the results of a run: {}", file.string(), error.what());
  }
  return facts;
}

Facts inspect_adapter(const fs::path& folder) {
  const fs::path file = folder / "adapter_config.json";
  const nlohmann::json config = load_json(file);
  Facts facts{{"kind", "adapter"},
              {"base model", optional_or<std::string>(config, "base_model_name_or_path", "", file)}};
  facts["method"] = required<std::string>(config, "peft_type", file);
  facts["r"] = required<std::int64_t>(config, "r", file);
  facts["alpha"] = required<double>(config, "lora_alpha", file);
  const Layout layout = layout_of(load_safetensors(folder / "adapter_model.safetensors").tensors);
  facts["tensors"] = layout.size();
  facts["per client and round"] = traffic_text(layout);
  return facts;
}

Facts inspect_checkpoint(const fs::path& folder, const Options& options) {
  models::LoadedModel loaded = models::load_checkpoint(folder, {.initialise_head = true});
  const models::ModelConfig& config = loaded.model.config;
  Facts facts{{"kind", "checkpoint"},
              {"model type", config.model_type},
              {"layers", config.layers},
              {"hidden size", config.hidden_size},
              {"heads", config.heads},
              {"vocabulary", config.vocab_size},
              {"positions", config.longest_sentence()},
              {"labels", config.num_labels},
              {"classification head", loaded.head_initialised ? "missing" : "present"},
              {"tensors not used", loaded.skipped.size()},
              {"sha256", loaded.sha256.get()}};
  const auto layout = [&](train::Trained trained) {
    return train::StudentTemplate(loaded.model, {.trained = trained, .lora = lora_config(options)}).layout();
  };
  const Layout all = layout(train::Trained::all_parameters);
  facts["parameters"] = count_numbers(all);
  facts["per client and round, fedavg"] = traffic_text(all);
  facts[fmt::format("per client and round, r {}", options.lora.r)] = traffic_text(layout(train::Trained::adapters));
  return facts;
}

Facts inspect_dataset(const fs::path& folder, const Options& options) {
  data::DatasetOptions wanted = dataset_options(options);
  wanted.path = folder.string();
  const data::Dataset dataset = data::load_dataset(wanted);
  Facts facts{{"kind", "data set"}, {"classes", dataset.num_labels}, {"train file", dataset.files.train.string()}};
  add_split(facts, "train", dataset.train, dataset.num_labels);
  facts["validation file"] = dataset.files.validation.string();
  add_split(facts, "validation", dataset.validation, dataset.num_labels);
  return facts;
}

}  // namespace fedtune::cli
