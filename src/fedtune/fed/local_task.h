// One client's local round, wherever it runs.
#pragma once

#include <functional>

#include "fedtune/fed/types.h"

namespace fedtune::fed {

class LocalTask {
 public:
  virtual ~LocalTask() = default;
  // Trains client `instruction.rank` from the global tensors. May be called from several threads for different ranks;
  // the result depends on the instruction alone. `stop` is polled between steps; when true, Interrupted is thrown.
  virtual Update train(const Instruction& instruction, const std::function<bool()>& stop) = 0;
};

}  // namespace fedtune::fed
