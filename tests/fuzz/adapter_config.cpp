// An adapter's adapter_config.json: read, saved, and read to the same.
#include "fedtune/peft/adapter_config.h"

#include "support.h"

#include "fedtune/format/json_file.h"

FEDTUNE_FUZZ_TARGET(adapter_config) {
  using namespace fedtune;
  const auto config = fuzz::accepted(
      [&] { return peft::parse_adapter_config(parse_json(fuzz::text_of(data, size), "input"), "input"); });
  if (!config) return 0;
  const nlohmann::json saved = peft::adapter_config_to_save(
      *config, {.base_name = "base", .target_modules = config->target_modules, .modules_to_save = {"classifier"}});
  const peft::LoraConfig again = peft::parse_adapter_config(parse_json(saved.dump(), "saved"), "saved");
  fuzz::require(again.r == config->r && again.alpha == config->alpha && again.target_modules == config->target_modules,
                "a saved adapter is of the rank, scale and modules that were read");
  return 0;
}
