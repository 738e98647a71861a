// Ends a call whose payload does not move on. Included by the sources of net alone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace fedtune::net {

// A stretch of a call in which its payload has to move on. Whoever ends the stretch, the call or `stalled`, may finish
// the call, and nobody else: a reactor is deleted soon after. Thread-safe.
class Pace {
 public:
  // `least` bytes are to be made in every `seconds`, 0 for no such limit.
  struct Terms {
    double seconds = 0.0;
    std::size_t least = 1;
  };
  // `stalled` is called on a thread of gRPC where a stretch falls short, which has ended by then.
  Pace(Terms terms, std::function<void()> stalled);

  // Starts a stretch; not once one has stalled.
  void begin();
  void made(std::size_t bytes);
  // Ends a stretch: true for the one who does, false where none was under way. Once it returns, `stalled` is not
  // running and will not be called, unless another stretch begins.
  bool end();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fedtune::net
