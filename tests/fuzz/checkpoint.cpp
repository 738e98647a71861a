// A checkpoint's folder. Parts: `state` is the JSON within the record, which is given the checksums that hold, so that
// what is behind them is reached; `record` is the record's file as it is, damaged or not; `tensors` is its safetensors,
// `history` its rounds, a line each.
#include "support.h"
#include <nlohmann/json.hpp>

#include "fedtune/base/log.h"
#include "fedtune/base/sha256.h"
#include "fedtune/fed/round_store.h"

namespace {

// A valid file of safetensors with nothing in it.
const std::string no_tensors("\x08\0\0\0\0\0\0\0{}      ", 16);

std::string checksum_of_lines(std::string_view history, std::size_t& lines) {
  std::string sha256;
  for (std::size_t end = history.find('\n'); end != std::string_view::npos; end = history.find('\n')) {
    sha256 = fedtune::sha256_hex(sha256 + std::string(history.substr(0, end)));
    history.remove_prefix(end + 1);
    ++lines;
  }
  return sha256;
}

std::string sealed(std::string_view text, const std::string& tensors, std::string_view history) {
  nlohmann::json state = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (state.is_object()) {
    state["tensors_sha256"] = fedtune::sha256_hex(tensors);
    state["configuration"] = "configuration";
    std::size_t lines = 0;
    state["history_sha256"] = checksum_of_lines(history, lines);
    state["history_rounds"] = lines;
  }
  if (state.is_discarded()) return std::string(text);
  return nlohmann::json{{"sha256", fedtune::sha256_hex(state.dump())}, {"state", state}}.dump();
}

}  // namespace

FEDTUNE_FUZZ_TARGET(checkpoint) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  scratch.clear();
  set_log_level(LogLevel::error);  // a damaged checkpoint is warned of
  std::string tensors = no_tensors, record, history;
  std::optional<std::string_view> state;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    if (part.name == "tensors") tensors = part.content;
    if (part.name == "history") history = std::string(part.content) + '\n';
    if (part.name == "record") record = part.content;
    if (part.name == "state") state = part.content;
  }
  if (state) record = sealed(*state, tensors, history);
  scratch.write("round-0001.safetensors", tensors);
  scratch.write("history-1.jsonl", history);
  scratch.write("round-0001.json", record);
  fed::RoundStore store(scratch.folder(), "configuration");
  const auto saved = fuzz::accepted([&] { return store.load(); });
  if (!saved || !*saved) return 0;
  const fed::RoundRecord next{.round = 2};
  store.save({.global = (*saved)->global, .record = next, .state = (*saved)->state});
  const auto again = store.load();
  fuzz::require(again && again->history.size() == (*saved)->history.size() + 1,
                "what was loaded is saved as the next round and loaded again");
  return 0;
}
