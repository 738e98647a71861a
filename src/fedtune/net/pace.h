// Ends a call whose payload does not move on. Included by the sources of net alone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace fedtune::net {

// A call has ended, or it has not: whoever says so first finishes it, a reactor being deleted soon after. Thread-safe.
class Pace {
 public:
  // From now on `least` bytes are to be made in every `seconds`, 0 for no such limit; else `stalled` is called, once,
  // on a thread of gRPC, the call having ended by then.
  struct Terms {
    double seconds = 0.0;
    std::size_t least = 1;
  };
  Pace(Terms terms, std::function<void()> stalled);

  void made(std::size_t bytes);
  // True for the one who ends it; nobody is called after that.
  bool end();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fedtune::net
