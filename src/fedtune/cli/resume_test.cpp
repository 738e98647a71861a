#include "fedtune/cli/resume.h"

#include <gmock/gmock.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/cli/resolve.h"

namespace fedtune::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Options stored_options() {
  Options options;
  options.federation.scheme = Scheme::fedlora;
  options.training.seed = 7;
  return resolve_for_run(options);
}

// Resumes a run of stored_options() with these arguments.
Options resumed(const std::vector<std::string>& arguments) {
  const TemporaryFolder root;
  const RunFolder folder = RunFolder::create({root / "results", "a", config_text(stored_options())});
  return resumed_options(parse_command_line(arguments, 0), folder);
}

TEST(Resume, KnowsTheOptionsOfTheRun) {
  EXPECT_EQ(config_text(resumed({})), config_text(stored_options()));
}

TEST(Resume, TakesWhatCannotChangeResults) {
  const Options options = resumed({"--workers", "3", "--progress", "none", "--quiet", "--log-level", "error"});
  EXPECT_EQ(options.training.workers, 3);
  EXPECT_EQ(options.run.progress, Progress::none);
  EXPECT_TRUE(options.run.quiet);
}

TEST(Resume, AcceptsTheSameValueAgain) {
  EXPECT_EQ(resumed({"--seed", "7"}).training.seed, 7u);
}

TEST(Resume, ListsEveryDifference) {
  try {
    resumed({"--seed", "8", "--lora-r", "4", "--num-clients", "4"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--seed 8 (the run has 7)"), HasSubstr("--lora-r 4 (the run has 8)"),
                                    Not(HasSubstr("--num-clients"))));
  }
}

TEST(ConfigurationHash, ChangesWithWhatCanChangeResults) {
  Options options = stored_options();
  const std::string before = configuration_hash(options);
  options.training.client_lr *= 2;
  EXPECT_NE(configuration_hash(options), before);
}

TEST(ConfigurationHash, IgnoresWhatCannot) {
  Options options = stored_options();
  const std::string before = configuration_hash(options);
  options.training.workers = 17;
  options.run.progress = Progress::none;
  EXPECT_EQ(configuration_hash(options), before);
}

}  // namespace
}  // namespace fedtune::cli
