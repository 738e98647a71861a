// What the main of every probe does: one job from standard input; an error goes to standard error with its exit code.
#pragma once

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fedtune/base/error.h"

namespace fedtune {

// work(text of the job)
template <typename Work>
int probe_main(const char* name, Work work) {
  try {
    work(std::string{std::istreambuf_iterator<char>(std::cin), {}});
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return static_cast<int>(ErrorKind::failed);
  }
}

}  // namespace fedtune
