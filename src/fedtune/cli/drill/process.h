// The parties of a drill: this program again, as server and clients.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace fedtune::cli {

class PartyProcess {
 public:
  struct Start {
    std::vector<std::string> arguments;            // behind "fedtune"
    std::filesystem::path log;                     // what it prints is appended here
    std::map<std::string, std::string> variables;  // set in its environment
  };
  // Throws Error(failed) when it cannot be started. The process is killed when this one is.
  explicit PartyProcess(const Start& start);
  ~PartyProcess();  // kills it
  PartyProcess(PartyProcess&& other) noexcept;
  PartyProcess& operator=(PartyProcess&& other) noexcept;

  void send(int signal) const;
  // Its files grow no more: what a full disk is to it. For good.
  void fill_disk() const;
  // How it ended, 128 + signal where one did it; empty while it runs.
  std::optional<int> ended();

 private:
  pid_t process_ = -1;
  std::optional<int> ended_;
};

}  // namespace fedtune::cli
