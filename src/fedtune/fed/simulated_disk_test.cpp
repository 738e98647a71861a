#include "fedtune/fed/simulated_disk.h"

#include <set>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::fed {
namespace {

class SimulatedDiskTest : public testing::Test {
 protected:
  // What a file may hold after power is lost at the call `number` of a write over it, over many chances.
  std::set<std::string> after_power_loss_at(int number) {
    std::set<std::string> found;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      TemporaryFolder folder;
      RandomStream chance({.seed = seed});
      int left = 1000;
      SimulatedDisk disk(
          folder.path(), [&] { return left-- == 0 ? SimulatedDisk::Fault::crash : SimulatedDisk::Fault::none; },
          chance);
      const UseDisk use(disk);
      write_file_atomically(folder / "x", "old");
      left = number;
      EXPECT_THROW(write_file_atomically(folder / "x", "new"), SimulatedDisk::Crash);
      disk.restart(true);
      found.insert(read_file(folder / "x"));
    }
    return found;
  }
};

TEST_F(SimulatedDiskTest, AnAtomicWriteIsOldOrNewWhereverPowerIsLost) {
  for (int call = 0; call < 4; ++call) {  // create, write, sync, rename
    EXPECT_EQ(after_power_loss_at(call), std::set<std::string>{"old"}) << "at call " << call;
  }
  EXPECT_EQ(after_power_loss_at(4), (std::set<std::string>{"new", "old"}));  // the folder's sync
}

TEST_F(SimulatedDiskTest, BytesThatWereNotSyncedAreLostInPart) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    TemporaryFolder folder;
    RandomStream chance({.seed = seed});
    SimulatedDisk disk(folder.path(), [] { return SimulatedDisk::Fault::none; }, chance);
    int descriptor = -1;
    ASSERT_EQ(disk.create(folder / "x", descriptor), 0);
    const FileDescriptor file(descriptor);
    disk.write(descriptor, std::as_bytes(std::span("0123456789", 10)));
    disk.sync_folder(folder.path());
    disk.restart(true);
    sizes.insert(std::filesystem::file_size(folder / "x"));
  }
  EXPECT_LT(*sizes.rbegin(), 10u);
  EXPECT_GT(sizes.size(), 3u);
}

TEST_F(SimulatedDiskTest, AnAppendWithoutItsSyncIsLostInPart) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    TemporaryFolder folder;
    RandomStream chance({.seed = seed});
    int left = 1000;
    SimulatedDisk disk(
        folder.path(), [&] { return left-- == 0 ? SimulatedDisk::Fault::crash : SimulatedDisk::Fault::none; }, chance);
    const UseDisk use(disk);
    write_file_atomically(folder / "x", "old");
    append_to_file(folder / "x", ", kept");
    left = 2;  // open, write, sync
    EXPECT_THROW(append_to_file(folder / "x", ", new"), SimulatedDisk::Crash);
    disk.restart(true);
    EXPECT_EQ(read_file(folder / "x").substr(0, 9), "old, kept");
    sizes.insert(std::filesystem::file_size(folder / "x"));
  }
  EXPECT_LT(*sizes.rbegin(), 14u);
  EXPECT_GT(sizes.size(), 2u);
}

TEST_F(SimulatedDiskTest, AFullDiskIsAnErrorThatLeavesTheOldFile) {
  TemporaryFolder folder;
  RandomStream chance({.seed = 1});
  bool full = false;
  SimulatedDisk disk(
      folder.path(), [&] { return full ? SimulatedDisk::Fault::full : SimulatedDisk::Fault::none; }, chance);
  const UseDisk use(disk);
  write_file_atomically(folder / "x", "old");
  full = true;
  EXPECT_THROW(write_file_atomically(folder / "x", "new"), Error);
  full = false;
  EXPECT_EQ(read_file(folder / "x"), "old");
}

TEST_F(SimulatedDiskTest, AKilledProcessLosesNothingThatItWrote) {
  TemporaryFolder folder;
  RandomStream chance({.seed = 1});
  SimulatedDisk disk(folder.path(), [] { return SimulatedDisk::Fault::none; }, chance);
  int descriptor = -1;
  ASSERT_EQ(disk.create(folder / "x", descriptor), 0);
  const FileDescriptor file(descriptor);
  disk.write(descriptor, std::as_bytes(std::span("abc", 3)));
  disk.restart(false);
  EXPECT_EQ(read_file(folder / "x"), "abc");
}

}  // namespace
}  // namespace fedtune::fed
