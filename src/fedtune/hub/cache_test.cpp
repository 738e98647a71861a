#include "fedtune/hub/cache.h"

#include <atomic>
#include <barrier>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

struct HubCache : testing::Test {
  TemporaryFolder folder;
  RepositoryCache cache{folder.path(), {.type = RepoType::model, .id = "owner/name"}};

  void put(const std::string& etag, const std::string& content) const {
    cache.create();
    write_file_atomically(cache.blob(etag), content);
  }
};

TEST_F(HubCache, LinksLeadFromTheSnapshotToTheBlobByARelativePath) {
  put("abc", "content");
  cache.link("c0ffee", "config.json", "abc");
  cache.link("c0ffee", "cola/train.parquet", "abc");
  const fs::path snapshot = folder / "models--owner--name/snapshots/c0ffee";
  EXPECT_EQ(fs::read_symlink(snapshot / "config.json"), "../../blobs/abc");
  EXPECT_EQ(fs::read_symlink(snapshot / "cola/train.parquet"), "../../../blobs/abc");
  EXPECT_EQ(read_file(snapshot / "config.json"), "content");
}

TEST_F(HubCache, ALinkIsPointedAnew) {
  put("old", "1");
  put("new", "2");
  cache.link("c0ffee", "f", "old");
  cache.link("c0ffee", "f", "new");
  EXPECT_EQ(read_file(cache.snapshot("c0ffee") / "f"), "2");
}

TEST_F(HubCache, ManyMayMakeTheSameLinkAtOnce) {
  put("abc", "content");
  constexpr int links = 200;
  std::barrier both_are_here(2);
  const auto work = [&] {
    for (int i = 0; i < links; ++i) {
      both_are_here.arrive_and_wait();
      EXPECT_NO_THROW(cache.link("c0ffee", fmt::format("{}", i), "abc"));
    }
  };
  { const std::jthread first(work), second(work); }
  EXPECT_EQ(cache.files("c0ffee").size(), std::size_t{links});
}

TEST_F(HubCache, FilesAreListedWithTheirFoldersAndWithoutBrokenLinks) {
  put("abc", "content");
  for (const char* file : {"b", "a/c", "a/b"}) cache.link("c0ffee", file, "abc");
  fs::create_symlink("../../blobs/gone", cache.snapshot("c0ffee") / "gone");
  EXPECT_THAT(cache.files("c0ffee"), ElementsAre("a/b", "a/c", "b"));
  EXPECT_THAT(cache.files("absent"), ElementsAre());
}

TEST_F(HubCache, TheCommitIsThatOfMain) {
  EXPECT_EQ(cache.commit(), std::nullopt);
  cache.create();
  cache.set_commit("c0ffee");
  EXPECT_EQ(cache.commit(), "c0ffee");
  write_file_atomically(cache.folder() / "refs/main", "c0ffee\n");
  EXPECT_EQ(cache.commit(), "c0ffee");
}

TEST_F(HubCache, ACommitThatLeadsOutOfTheCacheIsRefused) {
  cache.create();
  write_file_atomically(cache.folder() / "refs/main", "../../..");
  try {
    cache.commit();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("not a commit"));
  }
}

TEST_F(HubCache, ABlobIsLockedByOneAtATime) {
  cache.create();
  std::atomic<int> inside = 0, most = 0;
  const auto work = [&] {
    for (int i = 0; i < 3; ++i) {
      const BlobLock lock(cache.lock_file("abc"));
      most = std::max(most.load(), ++inside);
      std::this_thread::yield();
      --inside;
    }
  };
  { const std::jthread first(work), second(work); }
  EXPECT_EQ(most, 1);
}

TEST_F(HubCache, AnInterruptEndsTheWait) {
  cache.create();
  const BlobLock held(cache.lock_file("abc"));
  set_interrupt_signal(SIGINT);
  EXPECT_THROW(BlobLock(cache.lock_file("abc")), Interrupted);
  set_interrupt_signal(0);
}

}  // namespace
}  // namespace fedtune::hub
