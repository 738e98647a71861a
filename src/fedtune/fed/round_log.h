// What events.jsonl says of a run's rounds: who was asked, whose contribution entered with which weight, what came out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fedtune/fed/types.h"

namespace fedtune::fed {

// A contribution that entered the aggregate.
struct LoggedContribution {
  int rank = 0;
  double weight = 0.0;   // as it entered
  std::string sha256{};  // of its tensors
};

struct LoggedRound {
  int round = 0;  // 0: the initial model
  std::vector<int> cohort{};
  std::vector<LoggedContribution> accepted{};  // ascending rank
  std::string global_sha256{};                 // after the round
  Evaluation evaluation{};                     // loss, accuracy, mcc and f1 alone; NaN where the log has null
};

// The complete rounds, from 0; what belongs to none of them is passed over. Throws Error(input) naming the line for
// what is no event, for a round that does not follow the one before it, and for an accepted client without its entry.
std::vector<LoggedRound> read_round_log(std::string_view text, const std::string& source);

}  // namespace fedtune::fed
