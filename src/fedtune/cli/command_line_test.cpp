#include "fedtune/cli/command_line.h"

#include <gmock/gmock.h>

#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing.h"

namespace fedtune::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandLine parse(const std::vector<std::string>& arguments, std::size_t max_positionals = 0) {
  return parse_command_line(arguments, max_positionals);
}

std::string usage_of(const std::vector<std::string>& arguments) {
  return error_of([&] { parse(arguments); }, ErrorKind::usage);
}

TEST(CommandLine, GivesDefaultsForWhatIsNotSaid) {
  const CommandLine line = parse({});
  EXPECT_EQ(line.options.federation.num_clients, 4);
  EXPECT_TRUE(line.given.empty());
}

TEST(CommandLine, TakesUnderscoresForHyphens) {
  const CommandLine line = parse({"--client_lr", "0.001", "--num_rounds=3"});
  EXPECT_EQ(line.options.training.client_lr, 0.001);
  EXPECT_EQ(line.options.federation.num_rounds, 3);
  EXPECT_THAT(line.given, ElementsAre("client-lr", "num-rounds"));
}

TEST(CommandLine, KeepsUnderscoresInValues) {
  EXPECT_EQ(parse({"--name", "a_b"}).options.run.name, "a_b");
}

TEST(CommandLine, TakesTheLastOfARepeatedOption) {
  EXPECT_EQ(parse({"--seed", "1", "--seed", "2"}).options.training.seed, 2u);
}

TEST(CommandLine, CollectsAListFromCommasAndRepetition) {
  const CommandLine line = parse({"--target-modules", "query,key", "--target-modules", "value"});
  EXPECT_THAT(line.options.lora.target_modules, ElementsAre("query", "key", "value"));
}

TEST(CommandLine, SetsAFlag) {
  EXPECT_TRUE(parse({"--compare-central"}).options.run.compare_central);
}

TEST(CommandLine, ReadsAnEnumeration) {
  EXPECT_EQ(parse({"--train-head", "low-rank"}).options.lora.train_head, peft::TrainHead::low_rank);
}

TEST(CommandLine, TakesPositionalsUpToTheirNumber) {
  EXPECT_THAT(parse({"folder", "--seed", "1"}, 1).positionals, ElementsAre("folder"));
  EXPECT_THAT(usage_of({"folder"}), HasSubstr("unexpected argument 'folder'"));
}

TEST(CommandLine, NamesTheNearestOptionForAnUnknownOne) {
  EXPECT_THAT(usage_of({"--batch_sise", "1"}), HasSubstr("--batch-size"));
}

TEST(CommandLine, RefusesAMissingValue) {
  EXPECT_THAT(usage_of({"--seed"}), HasSubstr("--seed needs a value"));
}

TEST(CommandLine, RefusesAnOptionInPlaceOfAValue) {
  EXPECT_THAT(usage_of({"--seed", "--quiet"}), HasSubstr("--seed needs a value"));
}

TEST(CommandLine, RefusesTextForANumber) {
  EXPECT_THAT(usage_of({"--seed", "x"}), HasSubstr("a whole number"));
}

TEST(CommandLine, RefusesAFractionForAWholeNumber) {
  EXPECT_THAT(usage_of({"--lora-r", "1.5"}), HasSubstr("a whole number"));
}

TEST(CommandLine, RefusesANumberOutOfRange) {
  EXPECT_THAT(usage_of({"--lora-r", "0"}), HasSubstr("at least 1"));
}

TEST(CommandLine, RefusesAWordThatIsNoChoice) {
  EXPECT_THAT(usage_of({"--weight-by", "tokens"}), HasSubstr("batches|sentences"));
}

TEST(ConfigText, IsReadBackAsItWasWritten) {
  Options options;
  options.training.client_lr = 1e-4;
  options.training.seed = 18446744073709551615u;  // more than an integer of TOML holds
  options.lora.target_modules = {"query", "key"};
  options.shares.partition = data::PartitionKind::dirichlet;
  options.models.client_ckpt = "a \"quoted\" \x7f folder\\";
  const TemporaryFolder folder;
  write_file_atomically(folder / "config.toml", config_text(options));

  Options read;
  set_options(read_config(folder / "config.toml"), read);
  EXPECT_EQ(config_text(read), config_text(options));
  EXPECT_EQ(read.models.client_ckpt, options.models.client_ckpt);
  EXPECT_EQ(read.training.seed, options.training.seed);
}

TEST(ConfigFile, FarLargerThanAllOptionsIsRefused) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.toml", "seed = 1\n" + std::string(std::size_t{1} << 20U, '\n'));
  EXPECT_THAT(error_of([&] { read_config(folder / "a.toml"); }, ErrorKind::usage),
              HasSubstr("1048585 bytes, expected at most"));
}

TEST(ConfigFile, GivesWayToTheCommandLine) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.toml", "seed = 1\nlora_r = 4\n");
  const CommandLine line = parse({"--seed", "2", "--config", (folder / "a.toml").string()});
  EXPECT_EQ(line.options.training.seed, 2u);
  EXPECT_EQ(line.options.lora.r, 4);
  EXPECT_THAT(line.given, ElementsAre("config", "lora-r", "seed"));
}

TEST(ConfigFile, NamesFileLineAndTheNearestKey) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.toml", "seed = 1\n\nlora-rr = 4\n");
  EXPECT_THAT(usage_of({"--config", (folder / "a.toml").string()}), HasSubstr("a.toml:3: unknown key 'lora-rr'"));
}

}  // namespace
}  // namespace fedtune::cli
