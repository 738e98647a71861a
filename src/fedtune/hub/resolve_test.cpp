#include "fedtune/hub/resolve.h"

#include <cstdlib>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The cache's variables are unset, HOME is an empty folder; all are put back at the end.
class HubTest : public testing::Test {
 protected:
  HubTest() {
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      before[name] = value ? std::optional<std::string>(value) : std::nullopt;
      ::unsetenv(name);
    }
    set("HOME", folder.path());
  }
  ~HubTest() override {
    for (const auto& [name, value] : before) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }
  static void set(const char* name, const std::filesystem::path& value) { ::setenv(name, value.c_str(), 1); }

  // A repository in the cache with one snapshot.
  std::filesystem::path add(const std::string& name, const std::string& revision = "0123abcd") {
    const std::filesystem::path repository = hub_cache_folder() / name;
    create_folders(repository / "refs");
    create_folders(repository / "snapshots" / revision);
    write_file_atomically(repository / "refs" / "main", revision);
    return repository;
  }
  std::string error_of(std::string_view text, RepoType type = RepoType::model) {
    try {
      resolve_checkpoint(text, type);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    ADD_FAILURE() << "expected an error";
    return "";
  }

  TemporaryFolder folder;
  std::map<std::string, std::optional<std::string>> before;
};

TEST_F(HubTest, TextsThatLookLikePathsArePaths) {
  for (const char* text : {"/abs", "/", "./rel", "../rel", "model/", "a/b/c"}) EXPECT_TRUE(is_path(text)) << text;
  for (const char* text : {"bert-base-uncased", "owner/name", ".hidden", ""}) EXPECT_FALSE(is_path(text)) << text;
}

TEST_F(HubTest, WhatExistsOnDiskIsAPath) {
  EXPECT_TRUE(is_path("."));
  EXPECT_EQ(resolve_checkpoint(folder.path().string()).folder, folder.path());
}

TEST_F(HubTest, AMissingPathIsAnInputErrorThatNamesIt) {
  EXPECT_EQ(error_of("./no/such/model"), "'./no/such/model' is a path and does not exist; check it");
}

TEST_F(HubTest, AHubIdInTheCacheIsItsSnapshot) {
  const std::filesystem::path repository = add("models--owner--name");
  const Resolved resolved = resolve_checkpoint("owner/name");
  EXPECT_EQ(resolved.folder, repository / "snapshots" / "0123abcd");
  EXPECT_EQ(resolved.revision, "0123abcd");
}

TEST_F(HubTest, AHubIdMayHaveNoOwner) {
  add("models--bert-base-uncased");
  EXPECT_NO_THROW(resolve_checkpoint("bert-base-uncased"));
}

TEST_F(HubTest, ALineEndBehindTheCommitIsIgnored) {
  const std::filesystem::path repository = add("models--m");
  write_file_atomically(repository / "refs" / "main", "0123abcd\n");
  EXPECT_EQ(resolve_checkpoint("m").revision, "0123abcd");
}

TEST_F(HubTest, DataSetsHaveFoldersOfTheirOwn) {
  const std::filesystem::path repository = add("datasets--glue");
  EXPECT_EQ(resolve_checkpoint("glue", RepoType::dataset).folder, repository / "snapshots" / "0123abcd");
  EXPECT_THAT(error_of("glue"), HasSubstr("models--glue"));
}

TEST_F(HubTest, AHubIdThatIsNotCachedSaysWhereItWasSoughtAndWhatToDo) {
  EXPECT_THAT(error_of("owner/name"),
              AllOf(HasSubstr("owner/name"), HasSubstr((hub_cache_folder() / "models--owner--name").string()),
                    HasSubstr("hf download owner/name`"), HasSubstr("give a folder")));
  EXPECT_THAT(error_of("glue", RepoType::dataset), HasSubstr("hf download glue --repo-type dataset`"));
}

TEST_F(HubTest, ASnapshotThatIsMissingIsSaid) {
  const std::filesystem::path repository = add("models--m");
  std::filesystem::remove_all(repository / "snapshots");
  EXPECT_THAT(error_of("m"), AllOf(HasSubstr("0123abcd"), HasSubstr("is missing")));
}

TEST_F(HubTest, ACommitThatLeadsOutOfTheCacheIsRefused) {
  const std::filesystem::path repository = add("models--m");
  write_file_atomically(repository / "refs" / "main", "../../..");
  EXPECT_THAT(error_of("m"), HasSubstr("not a commit"));
}

TEST_F(HubTest, ATextThatIsNeitherIsRefused) {
  for (const char* text : {"", "name with spaces", "owner/na:me", "-option", ".hidden"}) {
    EXPECT_THAT(error_of(text), HasSubstr("neither a path that exists nor a hub id")) << text;
  }
}

TEST_F(HubTest, TheCacheIsFoundInTheOrderOfItsVariables) {
  EXPECT_EQ(hub_cache_folder(), folder / ".cache" / "huggingface" / "hub");
  set("XDG_CACHE_HOME", "/x");
  EXPECT_EQ(hub_cache_folder(), "/x/huggingface/hub");
  set("HF_HOME", "/h");
  EXPECT_EQ(hub_cache_folder(), "/h/hub");
  set("HF_HUB_CACHE", "/c");
  EXPECT_EQ(hub_cache_folder(), "/c");
}

}  // namespace
}  // namespace fedtune::hub
