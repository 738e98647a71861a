// How instructions reach clients and contributions come back.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "fedtune/base/error.h"
#include "fedtune/fed/types.h"

namespace fedtune::fed {

class Transport {
 public:
  virtual ~Transport() = default;
  // Sends round `round`'s global tensors to each rank of the cohort and calls `on_update` for every contribution, on
  // the calling thread, in any order. Returns when no more will come. A client that fails is reported with
  // `on_failure`, on the same thread; an error that ends the run is thrown.
  virtual void exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                        const std::function<void(Update)>& on_update,
                        const std::function<void(int rank, const std::string& reason)>& on_failure) = 0;
  // The run is complete: nobody is asked again.
  virtual void finish() {}
  // Whether another attempt at a round in which too few contributed could end differently.
  virtual bool worth_retrying() const { return true; }
  // What it means when no client answers: the program's own failure, or the network's.
  virtual ErrorKind failure_kind() const { return ErrorKind::failed; }
};

}  // namespace fedtune::fed
