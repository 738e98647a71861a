#include "fedtune/net/turnstile.h"

#include <utility>

namespace fedtune::net {

void Turnstile::enter(Guest guest) {
  {
    const std::scoped_lock lock(mutex_);
    if (free_ == 0) {
      waiting_.push_back(std::move(guest));
      return;
    }
    --free_;
  }
  if (!guest()) leave();
}

void Turnstile::leave() {
  while (true) {
    Guest next;
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.empty()) {
        ++free_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (next()) return;
  }
}

}  // namespace fedtune::net
