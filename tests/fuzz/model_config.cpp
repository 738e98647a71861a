// A model's config.json: read, saved as a trained model's, and read to the same.
#include "support.h"

#include "fedtune/format/json_file.h"
#include "fedtune/models/config.h"

FEDTUNE_FUZZ_TARGET(model_config) {
  using namespace fedtune;
  const auto config =
      fuzz::accepted([&] { return models::parse_config(parse_json(fuzz::text_of(data, size), "input"), "input"); });
  if (!config) return 0;
  const models::ModelConfig again = models::parse_config(models::config_to_save(*config), "saved");
  fuzz::require(again.num_labels == config->num_labels && again.hidden_size == config->hidden_size &&
                    again.layers == config->layers && again.vocab_size == config->vocab_size &&
                    again.first_position == config->first_position &&
                    again.classifier_dropout == config->classifier_dropout,
                "a saved config says what the one that was read said");
  return 0;
}
