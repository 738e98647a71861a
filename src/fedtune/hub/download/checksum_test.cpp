#include "fedtune/hub/download/checksum.h"

#include <gtest/gtest.h>

#include "fedtune/base/temporary_folder.h"

namespace fedtune::hub {
namespace {

// Of "hello\n": sha256sum, and git hash-object.
constexpr const char* sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
constexpr const char* git_sha1 = "ce013625030ba8dba906f756967f9e9ca394464a";

TEST(HubChecksum, TheKindFollowsFromTheEtag) {
  EXPECT_EQ(checksum_kind(sha256), ChecksumKind::sha256);
  EXPECT_EQ(checksum_kind(git_sha1), ChecksumKind::git_sha1);
  EXPECT_EQ(checksum_kind("5f-abc"), ChecksumKind::none);
  EXPECT_EQ(checksum_kind("abc"), ChecksumKind::none);
}

TEST(HubChecksum, ContentIsComparedWithIt) {
  const TemporaryFolder folder;
  const auto right = folder.write("right", "hello\n");
  const auto wrong = folder.write("wrong", "hello");
  for (const char* etag : {sha256, git_sha1}) {
    EXPECT_TRUE(is_content_of(right, etag));
    EXPECT_FALSE(is_content_of(wrong, etag));
  }
  EXPECT_TRUE(is_content_of(wrong, "a-mirrors-own"));
  EXPECT_TRUE(is_content_of(folder.write("empty", ""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
}

}  // namespace
}  // namespace fedtune::hub
