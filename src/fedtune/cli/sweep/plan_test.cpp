#include "fedtune/cli/sweep/plan.h"

#include <gmock/gmock.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SweepFile sweep_of(const std::string& text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "mine.toml", text);
  return read_sweep(folder / "mine.toml");
}

std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names;
  for (const PlannedRun& run : plan_runs(sweep_of(text))) names.push_back(run.name);
  return names;
}

std::string refusal_of(const std::string& text) {
  try {
    const SweepFile sweep = sweep_of(text);
    plan_tuning(sweep, plan_runs(sweep));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(SweepPlan, IsTheProductOfTheAxesInTheFilesOrder) {
  EXPECT_THAT(names_of("[sweep]\nscheme = ['fedlora', 'fedavg']\nseed = [1, 2]\n"),
              ElementsAre("fedlora-seed1", "fedlora-seed2", "fedavg-seed1", "fedavg-seed2"));
}

TEST(SweepPlan, NamesRunsByWhatVariesSeedLast) {
  EXPECT_THAT(names_of("seed = 3\n[sweep]\nseed = [1]\nscheme = ['fedlora']\nlora-r = [8]\nclient-lr = [1e-3, 0.5]\n"),
              ElementsAre("fedlora-r8-lr1e-3-seed1", "fedlora-r8-lr0.5-seed1"));
  EXPECT_THAT(names_of("[sweep]\nclient-ckpt = ['/models/mini lm']\nnum-rounds = [10, 100000]\n"),
              ElementsAre("mini-lm-num-rounds10", "mini-lm-num-rounds100000"));
  EXPECT_THAT(names_of("seed = 3\n"), ElementsAre("run"));
}

TEST(SweepPlan, CombinesEachCaseWithTheAxes) {
  const std::string cases =
      "[[case]]\nscheme = 'fedavg'\nclient-lr = 1e-4\n[[case]]\nname = 'high'\nclient-lr = 0.01\n";
  EXPECT_THAT(names_of(cases + "[sweep]\nseed = [1, 2]\n"),
              ElementsAre("fedavg-lr1e-4-seed1", "fedavg-lr1e-4-seed2", "high-seed1", "high-seed2"));
}

TEST(SweepPlan, TunesOncePerSchemeAndPutsTheChoiceInTheName) {
  const SweepFile sweep = sweep_of(
      "num-rounds = 9\n[sweep]\nscheme = ['fedavg', 'fedlora']\nseed = [5, 6]\n"
      "[tune]\nclient-lr = [1e-4, 1e-3]\nnum-rounds = 2\n");
  const std::vector<PlannedRun> runs = plan_runs(sweep);
  const std::vector<TuningGroup> groups = plan_tuning(sweep, runs);
  ASSERT_EQ(groups.size(), 2u);
  const auto& [candidate, choice] = groups[1].candidates[1];
  EXPECT_EQ(candidate.name, "tune-fedlora-lr1e-3");
  EXPECT_EQ(candidate.value("tune-slice"), "10");
  EXPECT_EQ(candidate.value("num-rounds"), "2");
  EXPECT_EQ(candidate.value("seed"), "5");
  EXPECT_TRUE(groups[1].holds(runs[3]));
  const PlannedRun chosen = with_choice(runs[3], choice);
  EXPECT_EQ(chosen.name, "fedlora-lr1e-3-seed6");
  EXPECT_EQ(chosen.value("num-rounds"), "9");
  EXPECT_EQ(chosen.value("tune-slice"), "0");
}

struct BadFile {
  std::string text, message;
};

TEST(SweepFile, NamesWhatItCannotUse) {
  const std::vector<BadFile> files{
      {"[sweep\n", "mine.toml:1: "},
      {"lora_rr = 3\n", "mine.toml:1: unknown key 'lora_rr'; the nearest is --lora-r"},
      {"[sweap]\nseed = [1]\n", "unknown key 'sweap'; the nearest is sweep"},
      {"[sweep]\nclient-lrr = [1]\n", "mine.toml:2: unknown key 'client-lrr'; the nearest is --client-lr"},
      {"[sweep]\nlora-r = 8\n", "expected a list of values"},
      {"[sweep]\nlora-r = []\n", "expected a list of values"},
      {"[sweep]\nlora-r = [8, 'eight']\n", "mine.toml:2: lora-r: --lora-r: expected a whole number"},
      {"[sweep]\nlora-r = [8, 8]\n", "8 is there twice"},
      {"[sweep]\nworkers = [1, 2]\n", "--workers cannot change a result"},
      {"[sweep]\nname = ['a']\n", "--name cannot change a result"},
      {"sweep = 3\n", "sweep: expected a table"},
      {"case = [1]\n", "expected [[case]] tables"},
      {"[[case]]\nnames = 'a'\n", "the nearest is name"},
      {"resume = 'a'\n", "--resume does not belong in a sweep"},
      {"[sweep]\nseed = [1]\n[[case]]\nseed = 2\n", "--seed is already varied at"},
      {"[sweep]\nclient-lr = [1]\n[tune]\nclient-lr = [1]\n", "--client-lr is already varied at"},
      {"[tune]\nper = ['scheme']\n", "tune: which option?"},
      {"[tune]\nclient-lr = [1]\nmetrics = 'mcc'\n", "the nearest is metric"},
      {"[tune]\nclient-lr = [1]\nmetric = 'f1'\n", "expected mcc or accuracy, got 'f1'"},
      {"[tune]\nclient-lr = [1]\nper = ['client-lr']\n", "--client-lr is both tuned and in per"},
      {"[sweep]\nclient-ckpt = ['a/m', 'b/m']\n", "two runs would be called m"},
      {"[[case]]\nname = 'a/b'\n", "cannot name a folder"},
  };
  for (const BadFile& file : files) EXPECT_THAT(refusal_of(file.text), HasSubstr(file.message)) << file.text;
}

}  // namespace
}  // namespace fedtune::cli
