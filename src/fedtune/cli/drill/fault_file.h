// What a drill does to a federation, and what it expects: a TOML file.
//
//   seed = 1
//   [[fault]]
//   kind = "kill"       # kill, hang, delay, corrupt, nan, duplicate, partition or full-disk
//   fraction = 0.3      # of the clients, drawn anew each round; or clients = [2, 5]; or server = true
//   rounds = [1, 3]     # default: every round
//   seconds = 2.0       # of hang, delay, partition
//   [expect]
//   exit = 0            # of the server in the end
//   min-accepted = 14   # contributions, in every round
//   replays = true      # fedtune replay finds every hash as it was
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fedtune::cli {

enum class FaultKind { kill, hang, delay, corrupt, nan, duplicate, partition, full_disk };
std::string_view fault_name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kill;
  double fraction = 0.0;       // of the clients
  std::vector<int> clients{};  // instead
  bool server = false;         // instead
  std::vector<int> rounds{};   // empty: every round
  double seconds = 1.0;
};

struct FaultFile {
  std::uint64_t seed = 0;
  std::vector<Fault> faults{};
  int exit_code = 0;
  int min_accepted = 1;
  bool replays = true;
};

// Throws Error(usage) naming file and line for what is no such file.
FaultFile read_fault_file(const std::filesystem::path& path);

// The clients that a fault strikes in a round, ascending: a function of seed, the fault's place in the file and round.
struct FaultPlace {
  std::uint64_t seed = 0;
  int index = 0;  // of the fault in the file
  int round = 0;
  int clients = 0;  // of the federation
};
std::vector<int> struck_by(const Fault& fault, const FaultPlace& place);

}  // namespace fedtune::cli
