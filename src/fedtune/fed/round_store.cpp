#include "fedtune/fed/round_store.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "fedtune/base/disk.h"
#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"
#include "fedtune/base/log.h"
#include "fedtune/base/sha256.h"
#include "fedtune/fed/record_json.h"
#include "fedtune/format/json_file.h"
#include "fedtune/format/safetensors.h"

namespace fedtune::fed {
namespace {

constexpr std::string_view round_prefix = "round-";
constexpr std::string_view state_prefix = "state-";
constexpr std::string_view tensors_suffix = ".safetensors";
constexpr std::string_view record_suffix = ".json";
constexpr std::size_t rounds_kept = 2;
constexpr int record_version = 2;

// The number in prefix + "0012" + suffix; -1 for another name.
int number_in(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return -1;
  const std::string_view digits = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  int round = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), round);
  return error == std::errc() && end == digits.data() + digits.size() ? round : -1;
}

// The state's text within its file: {"sha256": of `state` as it is dumped, "state": ...}.
std::string sealed(const nlohmann::ordered_json& state) {
  const nlohmann::json sorted = nlohmann::json::parse(state.dump());
  return nlohmann::ordered_json{{"sha256", sha256_hex(sorted.dump())}, {"state", state}}.dump(1) + "\n";
}

nlohmann::json unsealed(const std::filesystem::path& path) {
  const nlohmann::json file = load_json(path);
  auto state = required<nlohmann::json>(file, "state", path.string());
  if (sha256_hex(state.dump()) != required<std::string>(file, "sha256", path.string())) {
    throw input_error("{}: its checksum does not match", path.string());
  }
  return state;
}

// The checksum of a history with one more line.
std::string chained(const std::string& sha256, std::string_view line) {
  return sha256_hex(fmt::format("{}{}", sha256, line));
}

void require_checksum(const std::filesystem::path& path, const std::string& sha256) {
  if (sha256_of_file(path) != sha256) throw input_error("{}: its checksum does not match", path.string());
}

bool is_old(int number, const std::vector<int>& kept) {
  return number >= 0 && std::find(kept.begin(), kept.end(), number) == kept.end();
}

}  // namespace

RoundStore::RoundStore(std::filesystem::path folder, std::string configuration_hash)
    : folder_(std::move(folder)), configuration_hash_(std::move(configuration_hash)) {}

std::filesystem::path RoundStore::tensors_path(int round) const {
  return folder_ / fmt::format("{}{:04}{}", round_prefix, round, tensors_suffix);
}

std::filesystem::path RoundStore::record_path(int round) const {
  return folder_ / fmt::format("{}{:04}{}", round_prefix, round, record_suffix);
}

std::filesystem::path RoundStore::state_path(int since) const {
  return folder_ / fmt::format("{}{:04}{}", state_prefix, since, tensors_suffix);
}

std::filesystem::path RoundStore::history_path(int round) const {
  return folder_ / fmt::format("history-{}.jsonl", round % 2);
}

std::vector<int> RoundStore::saved_rounds() const {
  std::vector<int> rounds;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const int round = number_in(entry.path().filename().string(), round_prefix, record_suffix);
    if (round >= 0) rounds.push_back(round);
  }
  std::sort(rounds.begin(), rounds.end(), std::greater<>());
  return rounds;
}

void RoundStore::save(const Snapshot& snapshot) {
  const int round = snapshot.record.round;
  create_folders(folder_);
  // What a crashed save or an undone round left would stand in the way of the newest whole one.
  for (const int other : saved_rounds()) {
    if (other >= round) disk().remove(record_path(other).string());
  }
  save_safetensors(tensors_path(round), snapshot.global);
  const StoredState state = save_state(snapshot.state);
  const StoredHistory history = save_history(snapshot.record);
  write_file_atomically(record_path(round), sealed({{"version", record_version},
                                                    {"round", round},
                                                    {"tensors_sha256", sha256_of_file(tensors_path(round))},
                                                    {"configuration", configuration_hash_},
                                                    {"events_bytes", snapshot.events_bytes},
                                                    {"strategy_state_since", state.since},
                                                    {"strategy_state_sha256", state.sha256},
                                                    {"history_rounds", history.lines},
                                                    {"history_sha256", history.sha256}}));
  last_ = history;
  remove_all_but_newest();
}

// A state that has not changed since a saved round wrote it is there already.
RoundStore::StoredState RoundStore::save_state(const StrategyState& state) const {
  if (state.since == 0) return {};
  for (const int round : saved_rounds()) {
    if (StoredState stored = state_if_whole(round); stored.since == state.since) return stored;
  }
  save_safetensors(state_path(state.since), state.tensors);
  return {.since = state.since, .sha256 = sha256_of_file(state_path(state.since))};
}

// Lengthens the round's file where it has the history of the last round, or that without its own line; otherwise,
// writes it anew.
RoundStore::StoredHistory RoundStore::save_history(const RoundRecord& record) {
  if (last_.round < 0 || last_.round >= record.round) {
    last_ = history_below(record.round);
    lines_in_ = {};
  }
  const std::filesystem::path path = history_path(record.round);
  const std::string line = to_json(record).dump();
  std::size_t& in_file = lines_in_[static_cast<std::size_t>(record.round % 2)];
  const std::size_t known = std::exchange(in_file, 0);  // not while it is written
  if (known > 0 && known == last_.lines) {
    append_to_file(path, line + '\n');
  } else if (known > 0 && known + 1 == last_.lines) {
    append_to_file(path, last_line_ + '\n' + line + '\n');
  } else {
    write_file_atomically(path, read_lines(last_) + line + '\n');
  }
  in_file = last_.lines + 1;
  last_line_ = line;
  return {.round = record.round, .lines = in_file, .sha256 = chained(last_.sha256, line)};
}

// Of the newest round below `round` that has a whole one.
RoundStore::StoredHistory RoundStore::history_below(int round) const {
  for (const int below : saved_rounds()) {
    if (below >= round) continue;
    try {
      StoredHistory history = read_record(below).history;
      read_lines(history);
      return history;
    } catch (const Error& error) {
      log_warning("the history of round {} is damaged and passed over: {}", below, error.what());
    }
  }
  return {};
}

std::string RoundStore::read_lines(const StoredHistory& stored) const {
  if (stored.lines == 0) return {};
  const std::filesystem::path path = history_path(stored.round);
  std::string text = read_file(path);
  std::string found;
  std::size_t length = 0;
  for (std::size_t lines = 0; lines < stored.lines; ++lines) {
    const std::size_t end = text.find('\n', length);
    if (end == std::string::npos) {
      throw input_error("{}: found {} rounds, expected {}", path.string(), lines, stored.lines);
    }
    found = chained(found, std::string_view(text).substr(length, end - length));
    length = end + 1;
  }
  if (found != stored.sha256) throw input_error("{}: its checksum does not match", path.string());
  text.resize(length);
  return text;
}

std::vector<RoundRecord> RoundStore::read_history(const StoredHistory& stored) const {
  const std::string text = read_lines(stored);
  std::vector<RoundRecord> records;
  records.reserve(stored.lines);
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    const std::string where = fmt::format("{}, line {}", history_path(stored.round).string(), records.size() + 1);
    records.push_back(round_record_from(parse_json(rest.substr(0, rest.find('\n')), where), where));
  }
  return records;
}

std::vector<RoundRecord> RoundStore::history() const {
  const std::vector<int> rounds = saved_rounds();
  if (rounds.empty()) throw failed("{}: no round is saved", folder_.string());
  return read_history(read_record(rounds.front()).history);
}

RoundStore::StoredState RoundStore::state_if_whole(int round) const {
  try {
    return read_record(round).state;
  } catch (const Error& error) {
    log_debug("the checkpoint of round {} is damaged: {}", round, error.what());
    return {};
  }
}

StrategyState RoundStore::read_state(const StoredState& stored) const {
  if (stored.since == 0) return {};
  require_checksum(state_path(stored.since), stored.sha256);
  return {.since = stored.since, .tensors = load_safetensors(state_path(stored.since)).tensors};
}

void RoundStore::remove_all_but_newest() const {
  std::vector<int> kept = saved_rounds();
  if (kept.size() > rounds_kept) kept.erase(kept.begin() + rounds_kept, kept.end());
  std::vector<int> kept_states;
  kept_states.reserve(kept.size());
  for (const int round : kept) kept_states.push_back(state_if_whole(round).since);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    const int round =
        std::max(number_in(name, round_prefix, record_suffix), number_in(name, round_prefix, tensors_suffix));
    const int since = number_in(name, state_prefix, tensors_suffix);
    if (is_old(round, kept) || is_old(since, kept_states)) disk().remove(entry.path().string());
  }
  remove_temporary_files(folder_);
}

RoundStore::Record RoundStore::read_record(int round) const {
  const std::string context = record_path(round).string();
  const nlohmann::json record = unsealed(context);
  if (const int version = required<int>(record, "version", context); version != record_version) {
    throw input_error("{}: format version {}, expected {}", context, version, record_version);
  }
  return {.tensors_sha256 = required<std::string>(record, "tensors_sha256", context),
          .configuration = required<std::string>(record, "configuration", context),
          .events_bytes = required<std::int64_t>(record, "events_bytes", context),
          .state = {.since = required<int>(record, "strategy_state_since", context),
                    .sha256 = required<std::string>(record, "strategy_state_sha256", context)},
          .history = {.round = round,
                      .lines = required<std::size_t>(record, "history_rounds", context),
                      .sha256 = required<std::string>(record, "history_sha256", context)}};
}

SavedRun RoundStore::read(int round) const {
  const Record record = read_record(round);
  require_checksum(tensors_path(round), record.tensors_sha256);
  if (record.configuration != configuration_hash_) {
    throw usage_error(
        "{}: the checkpoint belongs to a run with another configuration; start a new run, or resume with the "
        "options of the old one",
        folder_.string());
  }
  return {.round = round,
          .global = load_safetensors(tensors_path(round)).tensors,
          .history = read_history(record.history),
          .state = read_state(record.state),
          .events_bytes = record.events_bytes};
}

std::optional<SavedRun> RoundStore::load() const {
  const std::vector<int> rounds = saved_rounds();
  std::string reasons;
  for (const int round : rounds) {
    try {
      SavedRun run = read(round);
      // It may have been renamed by a process that died, or was told of an error, before the folder was on disk: what
      // the run builds on now must not be gone after a power failure.
      if (const int error = disk().sync_folder(folder_.string()); error != 0) throw write_error(folder_, error);
      return run;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      log_warning("the checkpoint of round {} is damaged and passed over: {}", round, error.what());
      reasons += fmt::format("; round {}: {}", round, error.what());
    }
  }
  if (rounds.empty()) return std::nullopt;
  throw input_error("{}: no checkpoint is whole{}; start the run again", folder_.string(), reasons);
}

std::vector<SavedRun> RoundStore::load_all() const {
  std::vector<SavedRun> runs;
  for (const int round : saved_rounds()) runs.push_back(read(round));
  return runs;
}

}  // namespace fedtune::fed
