#include "fedtune/base/atomic_folder.h"

#include <gtest/gtest.h>

#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune {
namespace {

namespace fs = std::filesystem;

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

TEST(AtomicFolder, AppearsWholeWhenItIsCommitted) {
  const TemporaryFolder root;
  AtomicFolder folder(root / "model");
  write_file_atomically(folder.path() / "config.json", "{}");
  EXPECT_FALSE(fs::exists(root / "model"));
  folder.commit();
  EXPECT_EQ(read_file(root / "model" / "config.json"), "{}");
  EXPECT_EQ(entries_in(root.path()), 1u);
}

TEST(AtomicFolder, LeavesNothingWhenItIsNotCommitted) {
  const TemporaryFolder root;
  {
    const AtomicFolder folder(root / "model");
    write_file_atomically(folder.path() / "config.json", "{}");
  }
  EXPECT_EQ(entries_in(root.path()), 0u);
}

TEST(AtomicFolder, ClearsWhatAKilledProcessLeft) {
  const TemporaryFolder root;
  create_folders(root / "model.partial");
  write_file_atomically(root.path() / "model.partial" / "old", "");
  AtomicFolder folder(root / "model");
  folder.commit();
  EXPECT_EQ(entries_in(root / "model"), 0u);
}

TEST(AtomicFolder, IsMadeByOneProcessAtATime) {
  const TemporaryFolder root;
  const AtomicFolder folder(root / "model");
  try {
    const AtomicFolder second(root / "model");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
  EXPECT_TRUE(fs::exists(folder.path()));
}

TEST(AtomicFolder, DoesNotReplaceAFolderThatHoldsSomething) {
  const TemporaryFolder root;
  AtomicFolder folder(root / "model");
  create_folders(root / "model");
  write_file_atomically(root.path() / "model" / "mine", "");
  EXPECT_THROW(folder.commit(), Error);
  EXPECT_TRUE(fs::exists(root.path() / "model" / "mine"));
}

}  // namespace
}  // namespace fedtune
