// The checkpoints of a run: the last two complete rounds, each with the checksums that tell whether it is whole.
//
// A round is two files in the store's folder: round-0003.safetensors (the global tensors, in wire order) and
// round-0003.json (round, configuration hash, the checksums of all that belongs to the round and of itself). What the
// strategy keeps between rounds is a third, named after the round that last changed it (state-0002.safetensors): a
// teacher that has stopped learning is written once. Each is written to a temporary file, fsynced and renamed, the JSON
// last, so a round exists once its JSON does.
//
// The history is a line a round, in two files that grow: history-0.jsonl for even rounds, history-1.jsonl for odd ones.
// A save lengthens its own by what it lacks, so that a round costs the same however many went before it, and the round
// before keeps a history of its own. A round's JSON says how many lines are its, and their checksum.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fedtune/fed/types.h"

namespace fedtune::fed {

// A run as it stood after `round`.
struct SavedRun {
  int round = 0;
  NamedTensors global{};  // mapped from the checkpoint's file
  std::vector<RoundRecord> history{};
  StrategyState state{};          // mapped too
  std::int64_t events_bytes = 0;  // length of the event log at that moment
};

class RoundStore {
 public:
  // `configuration_hash` stands for every option that can change results. The folder is created by the first save.
  RoundStore(std::filesystem::path folder, std::string configuration_hash);

  struct Snapshot {
    const NamedTensors& global;
    std::span<const RoundRecord> history{};  // its last entry is the round that is saved
    StrategyState state{};
    std::int64_t events_bytes = 0;
  };
  // Keeps the round before it, removes older ones. Throws Error(failed) when it cannot be written; what was saved
  // stays.
  void save(const Snapshot& snapshot);

  // The newest round that is whole; nullopt when nothing was ever saved. A damaged newest round is logged and passed
  // over. Throws Error(input) when every round is damaged, Error(usage) when the configuration is another,
  // Error(failed) when it cannot be made sure that the round outlives a power failure.
  std::optional<SavedRun> load() const;
  // Every round that is kept, newest first. Throws as load, and Error(input) where one of them is damaged.
  std::vector<SavedRun> load_all() const;

 private:
  std::filesystem::path tensors_path(int round) const;
  std::filesystem::path record_path(int round) const;
  std::filesystem::path state_path(int since) const;
  std::filesystem::path history_path(int round) const;
  std::vector<int> saved_rounds() const;  // newest first
  SavedRun read(int round) const;
  // A saved strategy state: which file, and its checksum.
  struct StoredState {
    int since = 0;
    std::string sha256{};
  };
  StoredState save_state(const StrategyState& state) const;
  StrategyState read_state(const StoredState& stored) const;
  // What the record of `round` says; since is 0 where it keeps none. Throws Error(input) when the record is damaged.
  StoredState state_of(int round) const;
  // The same; none where the record is damaged.
  StoredState state_if_whole(int round) const;
  // A saved history: how many rounds, the number of the last, and the checksum of their lines.
  struct StoredHistory {
    std::size_t rounds = 0;
    int last = 0;
    std::string sha256{};
  };
  StoredHistory save_history(std::span<const RoundRecord> history);
  std::vector<RoundRecord> read_history(int round, std::size_t rounds, const std::string& sha256) const;
  void remove_all_but_newest() const;

  std::filesystem::path folder_;
  std::string configuration_hash_;
  std::array<StoredHistory, 2> written_{};  // by this object, in each of the two files; no rounds: not known
};

}  // namespace fedtune::fed
