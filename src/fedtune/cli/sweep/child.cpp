#include "fedtune/cli/sweep/child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file_descriptor.h"
#include "fedtune/base/interrupt.h"

namespace fedtune::cli {
namespace {

constexpr const char* this_program = "/proc/self/exe";
constexpr std::string_view error_mark = "fedtune: error: ";
constexpr std::string_view interrupted_mark = "fedtune: interrupted";

struct Pipe {
  FileDescriptor read, write;
};

Pipe open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw failed("starting a run: pipe: {}", std::strerror(errno));
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// In the child, between fork and exec: system calls alone.
[[noreturn]] void become(const std::vector<char*>& arguments, int standard_error, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before we asked to die with it
  ::dup2(standard_error, STDERR_FILENO);
  ::execv(this_program, arguments.data());
  ::_exit(127);
}

// Passes lines on as they come, but for those that the sweep says in its own words.
class ErrorLines {
 public:
  void add(std::string_view bytes) {
    pending_ += bytes;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      take(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
  }
  std::string finish() {
    if (!pending_.empty()) take(pending_);
    return error_;
  }

 private:
  void take(const std::string& line) {
    if (line.starts_with(error_mark)) {
      error_ = line.substr(error_mark.size());
    } else if (!line.starts_with(interrupted_mark)) {
      std::fputs((line + '\n').c_str(), stderr);
    }
  }

  std::string pending_, error_;
};

// Reads until the child closes its end; a signal that comes meanwhile is passed on.
std::string listen(const FileDescriptor& errors, pid_t child) {
  constexpr int look_for_signals_ms = 100;
  ErrorLines lines;
  std::array<char, 4096> block;
  for (bool told = false;;) {
    if (const int number = interrupt_signal(); number != 0 && !told) {
      ::kill(child, number);
      told = true;
    }
    struct pollfd waiting {
      .fd = errors.get(), .events = POLLIN, .revents = 0
    };
    if (::poll(&waiting, 1, look_for_signals_ms) <= 0) continue;
    const ssize_t count = ::read(errors.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return lines.finish();
    lines.add({block.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace

std::string ChildEnd::reason() const {
  if (!error.empty()) return error;
  if (signal == SIGKILL) return "killed (SIGKILL): out of memory?";
  if (signal != 0) return fmt::format("ended by signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("ended with exit code {}", exit_code);
}

ChildEnd run_child(std::span<const std::string> arguments) {
  std::vector<std::string> texts{"fedtune"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);

  Pipe errors = open_pipe();
  std::fflush(stdout);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw failed("starting a run: fork: {}", std::strerror(errno));
  if (child == 0) become(pointers, errors.write.get(), parent);
  ::setpgid(child, child);  // here too: whichever comes first
  errors.write.close();

  ChildEnd end{.error = listen(errors.read, child)};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

}  // namespace fedtune::cli
