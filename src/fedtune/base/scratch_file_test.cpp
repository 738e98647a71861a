#include "fedtune/base/scratch_file.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune {
namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

TEST(ScratchFile, GivesBackWhatWasWrittenInPieces) {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes = some_bytes(10'000);
  ScratchFile file(folder.path());
  file.append(std::span(bytes).first(1));
  file.append(std::span(bytes).subspan(1));
  EXPECT_EQ(file.size(), bytes.size());
  EXPECT_TRUE(std::ranges::equal(file.map()->bytes(), bytes));
}

TEST(ScratchFile, HasNoName) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(some_bytes(5));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ScratchFile, IsReadableAfterItIsClosed) {
  const TemporaryFolder folder;
  std::shared_ptr<const MappedFile> mapped;
  {
    ScratchFile file(folder.path());
    file.append(some_bytes(100));
    mapped = file.map();
  }
  EXPECT_TRUE(std::ranges::equal(mapped->bytes(), some_bytes(100)));
}

TEST(ScratchFile, NeedsAFolderThatExists) {
  const TemporaryFolder folder;
  EXPECT_THROW(ScratchFile(folder / "none"), Error);
}

}  // namespace
}  // namespace fedtune
