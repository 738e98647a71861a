// What a run or a score is made of: model, tokenizer and data, loaded and fitted to one another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fedtune/cli/options.h"
#include "fedtune/data/batch.h"
#include "fedtune/data/dataset.h"
#include "fedtune/data/partition.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/text/tokenizer.h"
#include "fedtune/train/student.h"

namespace fedtune::cli {

struct LabelledData {
  data::Dataset sentences;
  std::vector<data::Example> train;
  std::vector<data::Example> validation;
};

// The server's teacher, as it was loaded.
struct Teacher {
  models::SequenceClassifier model;
  std::string sha256{};
};

// All a federation needs before its first round. Examples are referred to by spans: keep it where it is.
struct Federation {
  std::filesystem::path checkpoint_folder;
  std::string checkpoint_sha256{};
  text::Tokenizer tokenizer;
  LabelledData data{};
  data::Partition partition{};
  std::shared_ptr<const train::StudentTemplate> student{};
  std::optional<Teacher> teacher{};  // where the scheme distils
  // What the user should be told, one sentence each.
  std::vector<std::string> notes{};
};

// Who loads: the teacher is the server's alone.
enum class Role { server, client };

// `options` are resolved. Throws Error(usage), Error(input).
std::unique_ptr<Federation> load_federation(const Options& options, Role role = Role::server);

// Tokens per sentence: the least of --max-length, the tokenizer's limit and the model's positions.
std::int64_t sentence_limit(const Options& options, const text::Tokenizer& tokenizer, const models::ModelConfig& model);

// Throws Error(input) when the tokenizer knows more ids than the model has embeddings.
void require_fitting(const text::Tokenizer& tokenizer, const models::ModelConfig& model,
                     const std::filesystem::path& folder);

hub::ResolveOptions hub_options(const Options& options);
peft::LoraConfig lora_config(const Options& options);
data::DatasetOptions dataset_options(const Options& options);

}  // namespace fedtune::cli
