// The checkpoints of a run: the last two complete rounds, each with the checksums that tell whether it is whole.
//
// A round is two files in the store's folder: round-0003.safetensors (the global tensors, in wire order) and
// round-0003.json (round, configuration hash, the checksums of all that belongs to the round and of itself). What the
// strategy keeps between rounds is a third, named after the round that last changed it (state-0002.safetensors): a
// teacher that has stopped learning is written once. Each is written to a temporary file, fsynced and renamed, the JSON
// last, so a round exists once its JSON does.
//
// The history is a line a round, in two files that grow: history-0.jsonl for even rounds, history-1.jsonl for odd ones.
// A save lengthens its own by what it lacks, so that a round costs the same time however many went before it, and no
// memory, and the round before keeps a history of its own. A round's JSON says how many lines are its, and their
// checksum.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
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
    const RoundRecord& record;  // of the round that is saved, whose history is this after that of the newest below it
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
  // The history of the newest round, which is there. Throws Error(input) where it is damaged.
  std::vector<RoundRecord> history() const;
  // Every round that is kept, newest first. Throws as load, and Error(input) where one of them is damaged.
  std::vector<SavedRun> load_all() const;

 private:
  std::filesystem::path tensors_path(int round) const;
  std::filesystem::path record_path(int round) const;
  std::filesystem::path state_path(int since) const;
  std::filesystem::path history_path(int round) const;
  std::vector<int> saved_rounds() const;  // newest first
  SavedRun read(int round) const;
  // A saved strategy state: which file, and its checksum. `since` is 0 where there is none.
  struct StoredState {
    int since = 0;
    std::string sha256{};
  };
  // A saved history: the round it goes up to, how many lines of that round's file, and their checksum.
  struct StoredHistory {
    int round = -1;  // -1: of none
    std::size_t lines = 0;
    std::string sha256{};
  };
  // A round's JSON.
  struct Record {
    std::string tensors_sha256{};
    std::string configuration{};
    std::int64_t events_bytes = 0;
    StoredState state{};
    StoredHistory history{};
  };
  Record read_record(int round) const;  // Throws Error(input) when it is damaged.
  StoredState save_state(const StrategyState& state) const;
  StrategyState read_state(const StoredState& stored) const;
  StoredState state_if_whole(int round) const;  // none where the record is damaged
  StoredHistory save_history(const RoundRecord& record);
  StoredHistory history_below(int round) const;
  std::string read_lines(const StoredHistory& stored) const;  // each with its newline
  std::vector<RoundRecord> read_history(const StoredHistory& stored) const;
  void remove_all_but_newest() const;

  std::filesystem::path folder_;
  std::string configuration_hash_;
  // What this object knows of the files: the history of the last round it saved, that round's line, and how many lines
  // are in each of the two.
  StoredHistory last_{};
  std::string last_line_{};
  std::array<std::size_t, 2> lines_in_{};  // 0: not known
};

}  // namespace fedtune::fed
