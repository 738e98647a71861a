// The line between a client and its server, which a drill can cut: a relay of bytes on this machine.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

namespace fedtune::cli {

class Line {
 public:
  // Listens on a port of its own. Throws Error(failed).
  Line();
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  int port() const { return port_; }
  // Where the server listens now; 0: nowhere.
  void lead_to(int port) { target_ = port; }
  // While it is cut, what was connected is disconnected and nobody gets through.
  void cut(bool is_cut) { cut_ = is_cut; }

 private:
  struct Relay;
  int port_ = 0;
  std::atomic<int> target_{0};
  std::atomic<bool> cut_{false};
  std::unique_ptr<Relay> relay_;
  std::jthread thread_;  // last: joined before the rest goes
};

}  // namespace fedtune::cli
