#include "fedtune/base/interrupt.h"

#include <csignal>

#include <gtest/gtest.h>

namespace fedtune {
namespace {

class Interrupt : public testing::Test {
 protected:
  void TearDown() override { set_interrupt_signal(0); }
};

TEST_F(Interrupt, NothingIsThrownWithoutASignal) {
  EXPECT_NO_THROW(throw_if_interrupted());
}

TEST_F(Interrupt, TheFirstSignalIsRememberedAndThrown) {
  install_interrupt_handlers();
  std::raise(SIGTERM);
  EXPECT_EQ(interrupt_signal(), SIGTERM);
  try {
    throw_if_interrupted();
    FAIL() << "expected Interrupted";
  } catch (const Interrupted& interrupted) {
    EXPECT_EQ(interrupted.signal(), SIGTERM);
  }
}

TEST_F(Interrupt, TheSecondSignalEndsTheProcessWithItsExitCode) {
  const auto twice = [] {
    install_interrupt_handlers();
    std::raise(SIGINT);
    std::raise(SIGINT);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace fedtune
