// A client that misbehaves as a drill says: for the processes that `fedtune drill` starts, and no others.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fedtune/fed/local_task.h"

namespace fedtune::cli {

// The variable by which a drill tells a client what to do: "ROUND:KIND:SECONDS", by commas; the kinds are delay,
// corrupt and nan. Unset or empty: nothing.
constexpr const char* drill_variable = "FEDTUNE_DRILL";

class DrilledTask final : public fed::LocalTask {
 public:
  // Reads the variable. `task` outlives it. Throws Error(usage) for what it cannot mean.
  explicit DrilledTask(fed::LocalTask& task);

  fed::Update train(const fed::Instruction& instruction, const std::function<bool()>& stop) override;

 private:
  struct Order {
    std::string kind;
    double seconds = 0.0;
  };
  fed::LocalTask& task_;
  std::multimap<int, Order> orders_;  // by round
};

}  // namespace fedtune::cli
