#include "fedtune/hub/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/hub/environment_fixture.h"

namespace fedtune::hub {
namespace {

using testing::HasSubstr;
using testing::Not;

using HubEnvironment = CleanEnvironment;

std::string error_of_reading() {
  try {
    read_environment();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(HubEnvironment, TheCacheIsFoundInTheOrderOfItsVariables) {
  EXPECT_EQ(read_environment().cache, folder / ".cache" / "huggingface" / "hub");
  set("XDG_CACHE_HOME", "/x");
  EXPECT_EQ(read_environment().cache, "/x/huggingface/hub");
  set("HF_HOME", "/h");
  EXPECT_EQ(read_environment().cache, "/h/hub");
  set("HF_HUB_CACHE", "/c");
  EXPECT_EQ(read_environment().cache, "/c");
}

TEST_F(HubEnvironment, WithoutVariablesItIsTheHubItselfWithoutAToken) {
  const Environment environment = read_environment();
  EXPECT_EQ(environment.endpoint, "https://huggingface.co");
  EXPECT_EQ(environment.token, "");
  EXPECT_FALSE(environment.offline);
  EXPECT_EQ(environment.timeout_seconds, 30);
}

TEST_F(HubEnvironment, AMirrorLosesTheSlashAtItsEnd) {
  set("HF_ENDPOINT", "https://mirror.example/hub/");
  EXPECT_EQ(read_environment().endpoint, "https://mirror.example/hub");
}

TEST_F(HubEnvironment, TheTokenComesFromItsVariableElseFromTheFileThatHuggingFaceWrites) {
  folder.write(".cache/huggingface/token", "hf_file\n");
  EXPECT_EQ(read_environment().token, "hf_file");
  set("HF_TOKEN_PATH", folder.write("elsewhere", " hf_elsewhere ").string());
  EXPECT_EQ(read_environment().token, "hf_elsewhere");
  set("HF_TOKEN", "hf_variable");
  EXPECT_EQ(read_environment().token, "hf_variable");
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_EQ(read_environment().token, "");
}

TEST_F(HubEnvironment, ATokenThatWouldSplitAHeaderIsRefusedAndNotRepeated) {
  set("HF_TOKEN", "hf_secret\r\nX-Evil: 1");
  EXPECT_THAT(error_of_reading(), HasSubstr("HF_TOKEN: a hub token is one word"));
  EXPECT_THAT(error_of_reading(), Not(HasSubstr("hf_secret")));
}

TEST_F(HubEnvironment, OfflineIsWhatHuggingFaceTakesForYes) {
  for (const char* yes : {"1", "on", "YES", "True"}) {
    set("HF_HUB_OFFLINE", yes);
    EXPECT_TRUE(read_environment().offline) << yes;
  }
  for (const char* no : {"0", "off", "", "2"}) {
    set("HF_HUB_OFFLINE", no);
    EXPECT_FALSE(read_environment().offline) << no;
  }
  set("TRANSFORMERS_OFFLINE", "1");
  EXPECT_TRUE(read_environment().offline);
}

TEST_F(HubEnvironment, ATimeoutIsWholeSeconds) {
  set("HF_HUB_DOWNLOAD_TIMEOUT", "7");
  EXPECT_EQ(read_environment().timeout_seconds, 7);
  for (const char* text : {"0", "-1", "soon", "5s"}) {
    set("HF_HUB_DOWNLOAD_TIMEOUT", text);
    EXPECT_THAT(error_of_reading(), HasSubstr("expected whole seconds")) << text;
  }
}

}  // namespace
}  // namespace fedtune::hub
