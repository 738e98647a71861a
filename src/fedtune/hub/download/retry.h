// When to try again, and how long to wait before.
#pragma once

#include <optional>
#include <string>

namespace fedtune::hub {

constexpr int most_tries = 5;

// Of HTTP's statuses: a time-out, too many requests, or trouble of the server's own.
bool may_pass(int status);

// Seconds before try `next` (2, 3 ...): 0.5, doubled each time, or as long as a Retry-After header asks, at most two
// minutes.
double pause_before(int next, std::optional<double> asked);
// A Retry-After header in seconds; nothing for one that is empty or gives a date.
std::optional<double> retry_after_seconds(const std::string& header);

// Counts the tries of one piece of work.
class Retry {
 public:
  // Something was achieved: the count begins anew.
  void progress() { tries_ = 1; }
  // Waits, then returns true; false where the tries are used up. Throws Interrupted.
  bool wait(const std::string& reason, std::optional<double> asked = std::nullopt);

 private:
  int tries_ = 1;
};

}  // namespace fedtune::hub
