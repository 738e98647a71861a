// For tests: what an error says.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {

// The message of the Error that `body` throws, which must be of this kind; throwing none is a failure of the test.
template <typename Body>
std::string error_of(Body&& body, ErrorKind kind = ErrorKind::input) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace fedtune
