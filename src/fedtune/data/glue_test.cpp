#include "fedtune/data/glue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/testing.h"

namespace fedtune::data {
namespace {

using testing::HasSubstr;

std::string refusal_of_task(std::string_view name) {
  return error_of([&] { glue_task(name); }, ErrorKind::usage);
}

TEST(Glue, EveryTaskHasAFolderAndASubset) {
  EXPECT_EQ(glue_task("sst2").folder, "SST-2");
  for (const char* name : {"mnli", "mnli_matched", "mnli_mismatched"}) EXPECT_EQ(glue_task(name).subset, "mnli");
}

TEST(Glue, AnotherNameIsAnErrorThatListsThem) {
  EXPECT_THAT(refusal_of_task("imdb"), HasSubstr("expected cola, sst2, mrpc, qqp, qnli, rte, wnli, mnli"));
  EXPECT_THAT(refusal_of_task("stsb"), HasSubstr("a number, not for a class"));
}

}  // namespace
}  // namespace fedtune::data
