#include "fedtune/hub/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/hub/environment.h"
#include "fedtune/hub/environment_fixture.h"

namespace fedtune::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// What is not in the cache is an error here: downloads are tried by tests/integration, against a server.
class HubTest : public CleanEnvironment {
 protected:
  HubTest() { set("HF_HUB_OFFLINE", "1"); }

  // A repository in the cache with one snapshot.
  std::filesystem::path add(const std::string& name, const std::vector<std::string>& files,
                            const std::string& revision = "0123abcd") {
    const std::filesystem::path repository = read_environment().cache / name;
    create_folders(repository / "refs");
    for (const std::string& file : files) {
      create_folders((repository / "snapshots" / revision / file).parent_path());
      write_file_atomically(repository / "snapshots" / revision / file, "");
    }
    write_file_atomically(repository / "refs" / "main", revision);
    return repository;
  }
  std::string error_of(std::string_view text) {
    try {
      resolve_checkpoint(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    ADD_FAILURE() << "expected an error";
    return "";
  }

  const std::vector<std::string> model{"config.json", "model.safetensors", "vocab.txt"};
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
  const std::filesystem::path repository = add("models--owner--name", model);
  const Resolved resolved = resolve_checkpoint("owner/name");
  EXPECT_EQ(resolved.folder, repository / "snapshots" / "0123abcd");
  EXPECT_EQ(resolved.revision, "0123abcd");
}

TEST_F(HubTest, AHubIdMayHaveNoOwner) {
  add("models--bert-base-uncased", model);
  EXPECT_NO_THROW(resolve_checkpoint("bert-base-uncased"));
}

TEST_F(HubTest, ADataSetIsTheFolderOfItsSubset) {
  const std::filesystem::path repository =
      add("datasets--glue", {"cola/train-00000-of-00001.parquet", "cola/validation-00000-of-00001.parquet"});
  EXPECT_EQ(resolve_dataset("glue", {.subset = "cola"}).folder, repository / "snapshots" / "0123abcd" / "cola");
  EXPECT_THROW(resolve_dataset("glue", {.subset = "sst2"}), Error);
  EXPECT_THAT(error_of("glue"), HasSubstr("models--glue"));
}

TEST_F(HubTest, AHubIdThatIsNotCachedSaysWhereItWasSoughtAndWhatToDo) {
  EXPECT_THAT(error_of("owner/name"),
              AllOf(HasSubstr("owner/name"), HasSubstr((read_environment().cache / "models--owner--name").string()),
                    HasSubstr("hf download owner/name`"), HasSubstr("give a folder"), HasSubstr("HF_HUB_OFFLINE")));
}

TEST_F(HubTest, ASnapshotThatLacksFilesSaysWhich) {
  add("models--m", {"config.json", "vocab.txt"});
  EXPECT_THAT(error_of("m"), HasSubstr("its snapshot lacks a model.safetensors"));
}

TEST_F(HubTest, ASnapshotThatLacksAShardSaysWhich) {
  const std::filesystem::path repository =
      add("models--m", {"config.json", "model.safetensors.index.json", "vocab.txt", "m-1.safetensors"});
  write_file_atomically(repository / "snapshots/0123abcd/model.safetensors.index.json",
                        R"({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})");
  EXPECT_THAT(error_of("m"), HasSubstr("its snapshot lacks the shard m-2.safetensors"));
  write_file_atomically(repository / "snapshots/0123abcd/m-2.safetensors", "");
  EXPECT_NO_THROW(resolve_checkpoint("m"));
}

TEST_F(HubTest, ATextThatIsNeitherIsRefused) {
  for (const char* text : {"", "name with spaces", "owner/na:me", "-option", ".hidden"}) {
    EXPECT_THAT(error_of(text), HasSubstr("neither a path that exists nor a hub id")) << text;
  }
}

}  // namespace
}  // namespace fedtune::hub
