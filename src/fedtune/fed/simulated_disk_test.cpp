#include "fedtune/fed/simulated_disk.h"

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::fed {
namespace {

class SimulatedDiskTest : public testing::Test {
 protected:
  using Change = std::function<void(const std::filesystem::path& file)>;

  // What a file may hold after power is lost at the call `number` of `change`, over many chances.
  static std::set<std::string> after_power_loss_at(int number, const Change& before, const Change& change) {
    std::set<std::string> found;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      TemporaryFolder folder;
      RandomStream chance({.seed = seed});
      int left = 1000;
      SimulatedDisk disk(
          folder.path(), [&] { return left-- == 0 ? SimulatedDisk::Fault::crash : SimulatedDisk::Fault::none; },
          chance);
      const UseDisk use(disk);
      before(folder / "x");
      left = number;
      EXPECT_THROW(change(folder / "x"), SimulatedDisk::Crash);
      disk.restart(true);
      found.insert(read_file(folder / "x"));
    }
    return found;
  }
  static std::set<std::string> overwritten_at(int number) {
    return after_power_loss_at(
        number, [](const auto& file) { write_file_atomically(file, "old"); },
        [](const auto& file) { write_file_atomically(file, "new"); });
  }
};

TEST_F(SimulatedDiskTest, AnAtomicWriteIsOldOrNewWhereverPowerIsLost) {
  for (int call = 0; call < 4; ++call) {  // create, write, sync, rename
    EXPECT_EQ(overwritten_at(call), std::set<std::string>{"old"}) << "at call " << call;
  }
  EXPECT_EQ(overwritten_at(4), (std::set<std::string>{"new", "old"}));  // the folder's sync
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
  const std::set<std::string> found = after_power_loss_at(
      2,  // open, write, sync
      [](const auto& file) {
        write_file_atomically(file, "old");
        append_to_file(file, ", kept");
      },
      [](const auto& file) { append_to_file(file, ", new"); });
  std::set<std::size_t> sizes;
  for (const std::string& content : found) {
    EXPECT_EQ(content.substr(0, 9), "old, kept");
    sizes.insert(content.size());
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
