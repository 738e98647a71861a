// The rounds that an events.jsonl tells of, as replay reads them.
#include "fedtune/fed/round_log.h"

#include "support.h"

FEDTUNE_FUZZ_TARGET(round_log) {
  using namespace fedtune;
  const auto rounds = fuzz::accepted([&] { return fed::read_round_log(fuzz::text_of(data, size), "events.jsonl"); });
  if (!rounds) return 0;
  for (std::size_t i = 0; i < rounds->size(); ++i) {
    fuzz::require((*rounds)[i].round == static_cast<int>(i), "rounds follow one another");
  }
  return 0;
}
