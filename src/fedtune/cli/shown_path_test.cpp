#include "fedtune/cli/shown_path.h"

#include <utility>

#include <gtest/gtest.h>

namespace fedtune::cli {
namespace {

const Surroundings around{.folder = "/people/ada/trial", .home = "/people/ada"};

TEST(ShownPath, IsGivenFromWhereTheProgramWasStartedElseFromTheHomeFolder) {
  constexpr std::pair<const char*, const char*> cases[] = {
      {"/people/ada/trial/examples/opinions", "examples/opinions"},
      {"/people/ada/trial/", "."},
      {"/people/ada/models/minilm", "~/models/minilm"},
      {"/people/ada", "~"},
      // not to be taken for a hub id, an option or the home folder
      {"/people/ada/trial/glue", "./glue"},
      {"/people/ada/trial/-a/b", "./-a/b"},
      {"/people/ada/trial/~/b", "./~/b"},
      // folders that only begin alike
      {"/people/adam/data", "/people/adam/data"},
      {"/people/ada/trial2/data", "~/trial2/data"},
      // other places, other texts
      {"/data/glue", "/data/glue"},
      {"bert-base-uncased", "bert-base-uncased"},
      {"", ""},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(shown_path(text, around), shown) << text;
}

TEST(ShownPath, TheRootShortensNothing) {
  EXPECT_EQ(shown_path("/data/glue", {.folder = "/", .home = ""}), "/data/glue");
}

}  // namespace
}  // namespace fedtune::cli
