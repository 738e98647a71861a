// Lets a few clients send at a time, so that hundreds that are ready at once do not fill the server's memory with what
// gRPC has read and nobody has yet written down.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

namespace fedtune::net {

// Thread-safe.
class Turnstile {
 public:
  // Takes the place it is offered, or says no: it has gone elsewhere.
  using Guest = std::function<bool()>;

  explicit Turnstile(int places) : free_(places) {}

  // Offers a place now, or on the thread of whoever leaves one, in the order of coming.
  void enter(Guest guest);
  // A place that was taken is free again.
  void leave();

 private:
  std::mutex mutex_;
  int free_;
  std::deque<Guest> waiting_;
};

}  // namespace fedtune::net
