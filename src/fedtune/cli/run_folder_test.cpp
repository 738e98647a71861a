#include "fedtune/cli/run_folder.h"

#include <functional>

#include <gmock/gmock.h>

#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing.h"

namespace fedtune::cli {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::function<void()>& body) {
  return error_of(body, ErrorKind::usage);
}

TEST(RunFolder, IsCreatedWithItsConfiguration) {
  const TemporaryFolder root;
  const RunFolder folder = RunFolder::create({root / "results", "a", "seed = 1\n"});
  EXPECT_EQ(read_file(root / "results" / "a" / "config.toml"), "seed = 1\n");
}

TEST(RunFolder, RefusesAUsedNameAndNamesResume) {
  const TemporaryFolder root;
  const RunFolder folder = RunFolder::create({root / "results", "a", ""});
  EXPECT_THAT(refusal_of([&] { RunFolder::create({root / "results", "a", ""}); }), HasSubstr("--resume"));
}

TEST(RunFolder, RefusesANameWhoseResultFileExists) {
  const TemporaryFolder root;
  write_file_atomically(root / "a.json", "{}");
  EXPECT_THAT(refusal_of([&] { RunFolder::require_free(root / ".", "a"); }), HasSubstr("already used"));
}

TEST(RunFolder, FindsAFreeNameForWhoHasGivenNone) {
  const TemporaryFolder root;
  EXPECT_EQ(RunFolder::free_name(root / "results", "now"), "now");
  const RunFolder first = RunFolder::create({root / "results", "now", ""});
  EXPECT_EQ(RunFolder::free_name(root / "results", "now"), "now-2");
  write_file_atomically(root / "results" / "now-2.json", "{}");
  EXPECT_EQ(RunFolder::free_name(root / "results", "now"), "now-3");
  const RunFolder third = RunFolder::create_beside({root / "results", "now", ""});
  EXPECT_EQ(third.path(), root / "results" / "now-3");
}

TEST(RunFolder, LeavesAloneWhatAnotherHasJustTaken) {
  const TemporaryFolder root;
  create_folders(root / "now");
  const FolderLock another(root / "now");
  EXPECT_EQ(RunFolder::create_beside({root / ".", "now", ""}).path(), root / "." / "now-2");
  EXPECT_THAT(refusal_of([&] { RunFolder::create({root / ".", "now", ""}); }), HasSubstr("at work"));
  EXPECT_TRUE(std::filesystem::is_empty(root / "now"));
}

TEST(RunFolder, RefusesANameThatLeavesTheRoot) {
  for (const std::string name : {"..", ".", "", "a/b"}) {
    EXPECT_THAT(refusal_of([&] { RunFolder::require_free("results", name); }), HasSubstr("--name"));
  }
}

TEST(RunFolder, IsOpenedByPathAndByName) {
  const TemporaryFolder root;
  { const RunFolder made = RunFolder::create({root / "results", "a", ""}); }
  { EXPECT_EQ(RunFolder::open("nowhere", (root / "results" / "a/").string()).path(), root / "results" / "a"); }
  { EXPECT_EQ(RunFolder::open(root / "results", "a").path(), root / "results" / "a"); }
}

TEST(RunFolder, RefusesAFolderThatIsNoRun) {
  const TemporaryFolder root;
  EXPECT_THAT(refusal_of([&] { RunFolder::open(root / ".", "a"); }), HasSubstr("no run there"));
}

TEST(RunFolder, BelongsToOneProcessAtATime) {
  const TemporaryFolder root;
  const RunFolder first = RunFolder::create({root / "results", "a", ""});
  EXPECT_THAT(refusal_of([&] { RunFolder::open(root / "results", "a"); }), HasSubstr("at work"));
}

}  // namespace
}  // namespace fedtune::cli
