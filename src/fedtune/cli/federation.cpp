#include "fedtune/cli/federation.h"

#include <algorithm>
#include <future>
#include <span>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/cli/device.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/cli/teacher.h"
#include "fedtune/data/examples.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/models/family.h"
#include "fedtune/nn/thread.h"
#include "fedtune/strategy/schemes.h"

namespace fedtune::cli {
namespace {

models::LoadedModel load_student(const Options& options, const std::filesystem::path& folder, std::int64_t labels) {
  models::LoadedModel loaded =
      models::load_checkpoint(folder, {.initialise_head = true, .seed = options.training.seed, .num_labels = labels});
  const bool trains_head =
      options.federation.scheme == Scheme::fedavg || options.lora.train_head != peft::TrainHead::none;
  if (loaded.head_initialised && !trains_head) {
    throw usage_error("--train-head none: {} has no classification head to keep; use full or low-rank",
                      folder.string());
  }
  return loaded;
}

void add_notes(const Options& options, const models::LoadedModel& loaded, std::vector<std::string>& notes) {
  if (loaded.head_initialised) {
    notes.push_back(fmt::format("the checkpoint has no classification head: one for {} labels is drawn from seed {}",
                                loaded.model.config.num_labels, options.training.seed));
  }
  if (!loaded.skipped.empty()) {
    notes.push_back(fmt::format("{} tensors of the checkpoint are not used here ({}{})", loaded.skipped.size(),
                                loaded.skipped.front(), loaded.skipped.size() > 1 ? ", ..." : ""));
  }
  if (options.federation.scheme != Scheme::fedavg && options.lora.train_head == peft::TrainHead::low_rank &&
      !loaded.model.family->trains_head_dense) {
    notes.push_back(fmt::format("--train-head low-rank equals full for a {}: its head is one small layer",
                                loaded.model.config.model_type));
  }
}

void add_note_of_labels(const data::Sentences& train, std::vector<std::string>& notes) {
  const std::int64_t label = train.front().label;
  if (std::ranges::all_of(train, [&](const data::Sentence& sentence) { return sentence.label == label; })) {
    notes.push_back(fmt::format("all {} training sentences have the label {}: a model learns no other from them",
                                train.size(), label));
  }
}

data::Partition make_partition(const Options& options, const data::Dataset& dataset) {
  return data::partition(dataset.train, {.kind = options.shares.partition,
                                         .num_clients = options.federation.num_clients,
                                         .public_percent = public_percent(options),
                                         .alpha = options.shares.alpha,
                                         .min_share = options.shares.min_share,
                                         .seed = options.training.seed});
}

}  // namespace

hub::ResolveOptions hub_options(const Options& options) {
  return {.insecure = options.network.insecure};
}

peft::LoraConfig lora_config(const Options& options) {
  return {.r = options.lora.r,
          .alpha = options.lora.alpha,
          .dropout = options.lora.dropout,
          .target_modules = options.lora.target_modules,
          .train_head = options.lora.train_head};
}

data::DatasetOptions dataset_options(const Options& options) {
  data::DatasetOptions dataset{.path = options.data.data_path,
                               .name = options.data.data_name,
                               .held_out_percent = options.data.tune_slice,
                               .insecure = options.network.insecure};
  if (options.data.max_train_sentences > 0) dataset.max_train_sentences = options.data.max_train_sentences;
  return dataset;
}

std::int64_t sentence_limit(const Options& options, const text::Tokenizer& tokenizer,
                            const models::ModelConfig& model) {
  return std::min({std::int64_t{options.data.max_length}, tokenizer.model_max_length(), model.longest_sentence()});
}

void require_fitting(const text::Tokenizer& tokenizer, const models::ModelConfig& model,
                     const std::filesystem::path& folder) {
  if (tokenizer.vocab_size() > model.vocab_size) {
    throw input_error("{}: the tokenizer has ids up to {}, the model has embeddings for {}; they are not of one model",
                      folder.string(), tokenizer.vocab_size() - 1, model.vocab_size);
  }
}

std::unique_ptr<Federation> load_federation(const Options& options, Role role) {
  const c10::Device device = prepare_to_compute(options);
  const std::filesystem::path folder = hub::resolve_checkpoint(options.models.client_ckpt, hub_options(options)).folder;
  // The tokenizer is read beside the data, the checkpoint hashed beside all that follows.
  std::future<text::Tokenizer> tokenizer = std::async(std::launch::async, text::Tokenizer::load, folder);
  data::Dataset sentences = data::load_dataset(dataset_options(options));
  models::LoadedModel loaded = load_student(options, folder, sentences.num_labels);
  auto federation = std::make_unique<Federation>(Federation{.checkpoint_folder = folder, .tokenizer = tokenizer.get()});

  LabelledData& data = federation->data;
  data.sentences = std::move(sentences);
  federation->partition = make_partition(options, data.sentences);
  require_fitting(federation->tokenizer, loaded.model.config, folder);
  federation->notes = federation->partition.notes;
  add_notes(options, loaded, federation->notes);
  add_note_of_labels(data.sentences.train, federation->notes);

  const data::TokenizeOptions tokenize{
      .max_length = sentence_limit(options, federation->tokenizer, loaded.model.config),
      .workers = workers_of(options)};
  data.train = data::tokenize(data.sentences.train, federation->tokenizer, tokenize);
  data.validation = data::tokenize(data.sentences.validation, federation->tokenizer, tokenize);

  const train::StudentOptions student{.trained = strategy::scheme_named(word(options.federation.scheme)).trained,
                                      .lora = lora_config(options),
                                      .precision = precision_of(options),
                                      .seed = options.training.seed};
  {
    const nn::UseThreads packing(workers_of(options));
    federation->student = std::make_shared<train::StudentTemplate>(models::to_device(loaded.model, device), student);
  }
  federation->checkpoint_sha256 = loaded.sha256.get();
  if (distils(options) && role == Role::server) federation->teacher = load_teacher(options, *federation, device);
  return federation;
}

}  // namespace fedtune::cli
