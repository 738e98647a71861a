#include "fedtune/data/glue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::data {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view name) {
  try {
    glue_task(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

TEST(Glue, EveryTaskHasAFolderAndASubset) {
  EXPECT_EQ(glue_task("sst2").folder, "SST-2");
  for (const char* name : {"mnli", "mnli_matched", "mnli_mismatched"}) EXPECT_EQ(glue_task(name).subset, "mnli");
}

TEST(Glue, AnotherNameIsAnErrorThatListsThem) {
  EXPECT_THAT(error_of("imdb"), HasSubstr("expected cola, sst2, mrpc, qqp, qnli, rte, wnli, mnli"));
  EXPECT_THAT(error_of("stsb"), HasSubstr("a number, not for a class"));
}

}  // namespace
}  // namespace fedtune::data
