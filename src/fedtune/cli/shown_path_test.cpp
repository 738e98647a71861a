#include "fedtune/cli/shown_path.h"

#include <gtest/gtest.h>

namespace fedtune::cli {
namespace {

const Surroundings around{.folder = "/people/ada/trial", .home = "/people/ada"};

TEST(ShownPath, IsGivenFromWhereTheProgramWasStarted) {
  EXPECT_EQ(shown_path("/people/ada/trial/examples/opinions", around), "examples/opinions");
  EXPECT_EQ(shown_path("/people/ada/trial/", around), ".");
}

TEST(ShownPath, CannotBeTakenForAHubIdAnOptionOrTheHomeFolder) {
  EXPECT_EQ(shown_path("/people/ada/trial/glue", around), "./glue");
  EXPECT_EQ(shown_path("/people/ada/trial/-a/b", around), "./-a/b");
  EXPECT_EQ(shown_path("/people/ada/trial/~/b", around), "./~/b");
}

TEST(ShownPath, HidesTheNameOfTheHomeFolder) {
  EXPECT_EQ(shown_path("/people/ada/models/minilm", around), "~/models/minilm");
  EXPECT_EQ(shown_path("/people/ada", around), "~");
}

TEST(ShownPath, IsNotShortenedByAFolderThatOnlyBeginsAlike) {
  EXPECT_EQ(shown_path("/people/adam/data", around), "/people/adam/data");
  EXPECT_EQ(shown_path("/people/ada/trial2/data", around), "~/trial2/data");
}

TEST(ShownPath, LeavesOtherPlacesAndOtherTextsAsTheyAre) {
  EXPECT_EQ(shown_path("/data/glue", around), "/data/glue");
  EXPECT_EQ(shown_path("bert-base-uncased", around), "bert-base-uncased");
  EXPECT_EQ(shown_path("", around), "");
  EXPECT_EQ(shown_path("/data/glue", {.folder = "/", .home = ""}), "/data/glue");
}

}  // namespace
}  // namespace fedtune::cli
