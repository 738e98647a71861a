#include "fedtune/cli/drill/process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file_descriptor.h"

namespace fedtune::cli {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec: system calls alone.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit is an error then, as on a full disk
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve("/proc/self/exe", arguments, environment);
  ::_exit(127);
}

}  // namespace

PartyProcess::PartyProcess(const Start& start) {
  std::vector<std::string> texts{"fedtune"};
  texts.insert(texts.end(), start.arguments.begin(), start.arguments.end());
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  for (const auto& [name, value] : start.variables) variables.push_back(name + "=" + value);
  const std::vector<char*> arguments = pointers_to(texts), environment = pointers_to(variables);
  const FileDescriptor log(::open(start.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!log.is_open()) throw failed("writing {}: {}", start.log.string(), std::strerror(errno));
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) throw failed("starting a party: fork: {}", std::strerror(errno));
  if (process_ == 0) become(arguments.data(), environment.data(), log.get(), parent);
}

PartyProcess::~PartyProcess() {
  if (process_ < 0 || ended()) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

PartyProcess::PartyProcess(PartyProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)), ended_(other.ended_) {}

PartyProcess& PartyProcess::operator=(PartyProcess&& other) noexcept {
  std::swap(process_, other.process_);
  std::swap(ended_, other.ended_);
  return *this;
}

void PartyProcess::send(int signal) const {
  if (process_ > 0 && !ended_) ::kill(process_, signal);
}

void PartyProcess::fill_disk() const {
  const struct rlimit nothing = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
  if (process_ > 0 && !ended_) ::prlimit(process_, RLIMIT_FSIZE, &nothing, nullptr);
}

std::optional<int> PartyProcess::ended() {
  if (ended_ || process_ < 0) return ended_;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
  ended_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ended_;
}

}  // namespace fedtune::cli
