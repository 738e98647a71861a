// model.safetensors.index.json, which says of which files a model is made.
#include "support.h"

#include "fedtune/hub/needed_files.h"
#include "fedtune/hub/repository.h"

FEDTUNE_FUZZ_TARGET(shard_index) {
  using namespace fedtune;
  const auto shards = fuzz::accepted([&] { return hub::shards_of_index(fuzz::text_of(data, size), "input"); });
  if (!shards) return 0;
  for (const std::string& shard : *shards) {
    fuzz::require(hub::is_name(shard), "a shard lies beside its index");
  }
  return 0;
}
