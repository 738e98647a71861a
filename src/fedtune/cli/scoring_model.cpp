#include "fedtune/cli/scoring_model.h"

#include "fedtune/base/error.h"
#include "fedtune/cli/device.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/resolve.h"
#include "fedtune/hub/resolve.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/peft/adapter_folder.h"

namespace fedtune::cli {

ScoringModel load_scoring_model(const Options& options) {
  const c10::Device device = prepare_to_compute(options);
  const std::filesystem::path folder = hub::resolve_checkpoint(options.models.client_ckpt, hub_options(options)).folder;
  const bool has_adapter = !options.score.adapter.empty();
  models::LoadedModel loaded = models::load_checkpoint(folder, {.initialise_head = has_adapter});
  const text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  require_fitting(tokenizer, loaded.model.config, folder);
  if (has_adapter) {
    const peft::LoraConfig adapter = peft::load_adapter(options.score.adapter, loaded.model);
    if (loaded.head_initialised && adapter.train_head == peft::TrainHead::none) {
      throw input_error("{} has no classification head and the adapter {} brings none; give a checkpoint with a head",
                        folder.string(), options.score.adapter);
    }
  }
  models::SequenceClassifier model = models::to_device(loaded.model, device);
  models::freeze_all(model, precision_of(options));
  const std::int64_t max_length = sentence_limit(options, tokenizer, model.config);
  return {.model = std::move(model), .tokenizer = tokenizer, .max_length = max_length};
}

}  // namespace fedtune::cli
