#include "fedtune/cli/main.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/log.h"
#include "fedtune/base/nearest.h"
#include "fedtune/cli/help.h"
#include "fedtune/cli/version.h"

namespace fedtune::cli {
namespace {

const Command& command_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  if (std::ranges::count(commands_left_out(), name) > 0) {
    throw usage_error("{}: this build opens no connection (FEDTUNE_NET is off); build it with -DFEDTUNE_NET=ON", name);
  }
  const std::string near = nearest_name(name, names);
  throw usage_error("unknown command '{}'{}; the commands are {}", name,
                    near.empty() ? "" : fmt::format(" (the nearest is {})", near), fmt::join(names, ", "));
}

void require_profiled(const Options& options, const Command& command) {
  if (options.run.profile && !command.trains) {
    throw usage_error(
        "{}: --profile says where the time of training steps goes, and no step is taken here; leave it out",
        command.name);
  }
}

void dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) throw usage_error("which command? see fedtune --help");
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    fmt::print("{}", program_help());
  } else if (first == "--version") {
    fmt::print("{}", version_text());
  } else {
    const Command& command = command_named(first);
    const CommandLine line = parse_command_line(std::span(arguments).subspan(1), command.max_positionals);
    set_log_level(line.options.run.quiet ? LogLevel::error : line.options.run.log_level);
    if (line.help) {
      fmt::print("{}", command_help(command));
    } else {
      require_profiled(line.options, command);
      command.run(line);
    }
  }
}

// What was printed must have arrived: a full disk behind a redirection is a failure.
void flush_output() {
  if (std::fflush(stdout) != 0) throw failed("writing to standard output: {}", std::strerror(errno));
}

int report_error(std::string message, int exit_code) {
  std::ranges::replace(message, '\n', ' ');
  std::fflush(stdout);
  // Not fmt::print, which throws where this cannot be written either, as on a full disk: the exit code must come.
  std::fputs(fmt::format("fedtune: error: {}\n", message).c_str(), stderr);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int failure = static_cast<int>(ErrorKind::failed);
  try {
    dispatch({argv + 1, argv + argc});
    flush_output();
    return 0;
  } catch (const Interrupted& interrupted) {
    return 128 + interrupted.signal();
  } catch (const Error& error) {
    return report_error(error.what(), static_cast<int>(error.kind()));
  } catch (const std::bad_alloc&) {
    return report_error("out of memory; use fewer --workers, a smaller --batch-size or a smaller model", failure);
  } catch (const c10::Error& error) {
    return report_error(fmt::format("torch: {}", error.what_without_backtrace()), failure);
  } catch (const std::exception& error) {
    return report_error(error.what(), failure);
  }
}

}  // namespace fedtune::cli
