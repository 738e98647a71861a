// The one error type of the project and how it gains context on its way up.
//
// Anything that cannot go on throws Error. A message names the operation, what was found, what was expected and what to
// do. Outcomes that are part of normal work (a contribution that is refused) are not errors: see status.h.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace fedtune {

// What went wrong, seen by whoever started the program; the value is the exit code.
enum class ErrorKind {
  failed = 1,   // the machine or the program: disk full, out of memory, a broken invariant
  usage = 2,    // the command line or the configuration
  input = 3,    // data, a model or an adapter
  network = 4,  // a peer or the way to it
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// throw failed("writing {}: {}", path, reason);
template <typename... Args>
Error failed(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::failed, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Error usage_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::usage, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Error input_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::input, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Error network_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::network, fmt::format(format, std::forward<Args>(args)...)};
}

// Runs `body`; an Error that leaves it gains "context: " in front and keeps its kind.
template <typename Body>
auto with_context(const std::string& context, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    throw Error(error.kind(), context + ": " + error.what());
  }
}

}  // namespace fedtune
