// A drill: a server and its clients as processes, the faults of a script, and a table of what happened.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fedtune/cli/drill/fault_file.h"

namespace fedtune::cli {

struct DrillSetup {
  FaultFile script{};
  int clients = 0;
  std::vector<std::string> server{};  // its options
  std::vector<std::string> client{};  // what each client is told besides server and rank
  std::filesystem::path run{};        // the run's folder
  std::filesystem::path logs{};       // of the parties; created
  double give_up = 600.0;             // seconds after which the drill has failed
};

struct DrilledRound {
  int round = 0;
  std::size_t asked = 0, accepted = 0;
  std::vector<std::string> left_out{};  // "client 3: reason"
  std::vector<std::string> faults{};    // "kill 2, 5"
};

struct DrillOutcome {
  int server_exit = 0;  // in the end
  int server_restarts = 0;
  int client_restarts = 0;
  bool timed_out = false;
  std::vector<DrilledRound> rounds{};
};

// Plays it to its end. Throws Error(failed) when a process cannot be started, Interrupted.
DrillOutcome play_drill(const DrillSetup& setup);

}  // namespace fedtune::cli
