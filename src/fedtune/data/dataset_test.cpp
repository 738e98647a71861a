#include "fedtune/data/dataset.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"

namespace fedtune::data {
namespace {

using ::testing::HasSubstr;

constexpr const char* table = "sentence\tlabel\ngood \t1\nbad \t0\nfine\t1\n";

struct Failure {
  ErrorKind kind;
  std::string message;
};

Failure failure_of(const DatasetOptions& options) {
  try {
    load_dataset(options);
  } catch (const Error& error) {
    return {.kind = error.kind(), .message = error.what()};
  }
  ADD_FAILURE() << "no error";
  return {.kind = ErrorKind::failed, .message = ""};
}

void expect_input_error(const DatasetOptions& options, const std::string& message) {
  const Failure failure = failure_of(options);
  EXPECT_EQ(failure.kind, ErrorKind::input);
  EXPECT_THAT(failure.message, HasSubstr(message));
}

TEST(Dataset, IsReadByContentWhateverItsName) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  folder.write("validation.jsonl", R"({"sentence": "so so", "label": 0})");
  const Dataset dataset = load_dataset({.path = folder.path(), .name = "anything"});
  EXPECT_EQ(dataset.train.size(), 3U);
  EXPECT_EQ(dataset.train[0].text, "good ");
  EXPECT_EQ(dataset.validation.at(0).text, "so so");
  EXPECT_EQ(dataset.num_labels, 2);
}

TEST(Dataset, PrefersValidationToDev) {
  TemporaryFolder folder;
  folder.write("train.csv", "label,sentence\n1,\"a, b\"\n");
  folder.write("dev.tsv", table);
  EXPECT_EQ(find_dataset({.path = folder.path()}).validation.filename(), "dev.tsv");
  folder.write("validation.tsv", table);
  EXPECT_EQ(find_dataset({.path = folder.path()}).validation.filename(), "validation.tsv");
}

TEST(Dataset, AGlueRootIsChosenFromByName) {
  TemporaryFolder folder;
  folder.write("CoLA/train.tsv", "s\t1\t\tIt is.\n");
  folder.write("CoLA/dev.tsv", "s\t0\t*\tIs it it.\n");
  folder.write("SST-2/train.tsv", table);
  folder.write("SST-2/dev.tsv", table);
  EXPECT_EQ(load_dataset({.path = folder.path()}).train.at(0).text, "It is.");
  EXPECT_EQ(load_dataset({.path = folder.path(), .name = "sst2"}).train.size(), 3U);
}

TEST(Dataset, KeepsTheFirstRowsAskedFor) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  folder.write("validation.tsv", table);
  const Dataset dataset = load_dataset({.path = folder.path(), .max_train_sentences = 2});
  ASSERT_EQ(dataset.train.size(), 2U);
  EXPECT_EQ(dataset.train[1].text, "bad ");
  EXPECT_EQ(load_dataset({.path = folder.path(), .max_train_sentences = 99}).train.size(), 3U);
}

TEST(Dataset, CountsItsClassesInTheTrainingFile) {
  TemporaryFolder folder;
  folder.write("train.tsv", "sentence\tlabel\na\t0\nb\t4\n");
  folder.write("validation.tsv", table);
  EXPECT_EQ(load_dataset({.path = folder.path()}).num_labels, 5);
  folder.write("train.tsv", "sentence\tlabel\na\t0\nb\t0\n");
  EXPECT_EQ(load_dataset({.path = folder.path()}).num_labels, 2);
}

TEST(Dataset, AValidationLabelThatTrainingLacksIsAnError) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  folder.write("validation.tsv", "sentence\tlabel\na\t2\n");
  expect_input_error({.path = folder.path()}, "validation.tsv, line 2: label 2 is outside 0 .. 1");
}

TEST(Dataset, AMissingFolderIsAnError) {
  expect_input_error({.path = "./no/such/folder"}, "no such folder");
}

TEST(Dataset, AFileInPlaceOfAFolderIsAnError) {
  TemporaryFolder folder;
  expect_input_error({.path = folder.write("train.tsv", table)}, "is a file");
}

TEST(Dataset, GlueThatIsNotInTheCacheSaysWhatToDo) {
  TemporaryFolder cache;
  ::setenv("HF_HUB_CACHE", cache.path().c_str(), 1);
  ::setenv("HF_HUB_OFFLINE", "1", 1);
  expect_input_error({.path = "glue"}, "give a folder");
  expect_input_error({.path = "owner/data"}, "datasets--owner--data");
  ::unsetenv("HF_HUB_CACHE");
  ::unsetenv("HF_HUB_OFFLINE");
}

constexpr const char* pairs = "sentence1\tsentence2\tgold_label\na\tb\tcontradiction\nc\td\tneutral\n";

TEST(Dataset, MnliIsValidatedOnTheMatchedGenresUnlessTheOthersAreAskedFor) {
  TemporaryFolder root;
  root.write("MNLI/train.tsv", pairs);
  root.write("MNLI/dev_matched.tsv", pairs);
  root.write("MNLI/dev_mismatched.tsv", pairs);
  for (const char* name : {"mnli", "mnli_matched"}) {
    EXPECT_EQ(find_dataset({.path = root.path(), .name = name}).validation, root / "MNLI/dev_matched.tsv");
  }
  EXPECT_EQ(find_dataset({.path = root.path(), .name = "mnli_mismatched"}).validation,
            root / "MNLI/dev_mismatched.tsv");
  EXPECT_EQ(load_dataset({.path = root.path(), .name = "mnli"}).num_labels, 3);
}

TEST(Dataset, ACopyOfTheHubsGlueIsAGlueRootToo) {
  TemporaryFolder root;
  root.write("rte/train.tsv", pairs);
  root.write("rte/validation.tsv", pairs);
  EXPECT_EQ(load_dataset({.path = root.path(), .name = "rte"}).train[0].second, "b");
  expect_input_error({.path = root.path(), .name = "mrpc"}, "no folder MRPC/");
}

TEST(Dataset, AFolderWithoutDataIsAnError) {
  TemporaryFolder folder;
  expect_input_error({.path = folder.path()}, "is no data set");
}

TEST(Dataset, AMissingValidationFileIsAnError) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  expect_input_error({.path = folder.path()}, "a validation file is needed");
}

TEST(Dataset, AGlueRootWithoutTheSetAskedForIsAnError) {
  TemporaryFolder folder;
  folder.write("CoLA/train.tsv", "s\t1\t\tIt is.\n");
  expect_input_error({.path = folder.path(), .name = "sst2"}, "has no folder SST-2/");
}

TEST(Dataset, AGlueSetWithoutTrainingFileIsAnError) {
  TemporaryFolder folder;
  folder.write("CoLA/dev.tsv", "s\t1\t\tIt is.\n");
  expect_input_error({.path = folder.path()}, "holds no train.tsv");
}

TEST(Dataset, AnUnknownNameForAGlueRootIsAUsageError) {
  TemporaryFolder folder;
  folder.write("CoLA/train.tsv", "s\t1\t\tIt is.\n");
  const Failure failure = failure_of({.path = folder.path(), .name = "imdb"});
  EXPECT_EQ(failure.kind, ErrorKind::usage);
  EXPECT_THAT(failure.message, HasSubstr("--data-name imdb"));
}

TEST(Dataset, TwoTrainingFilesAreAnError) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  folder.write("train.csv", "sentence,label\na,1\n");
  expect_input_error({.path = folder.path()}, "both train.tsv and train.csv");
}

TEST(Dataset, APartOfAParquetTableThatIsMissingIsNamed) {
  TemporaryFolder folder;
  folder.write("train-00000-of-00002.parquet", "PAR1");
  folder.write("validation.parquet", "PAR1");
  expect_input_error({.path = folder.path()},
                     "train-00000-of-00002.parquet");  // no table, whether parquet is read or not
}

TEST(Dataset, NoRowsAskedForIsAUsageError) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  EXPECT_EQ(failure_of({.path = folder.path(), .max_train_sentences = 0}).kind, ErrorKind::usage);
}

TEST(Dataset, HoldsOutTheLastRowsOfWhatIsKept) {
  TemporaryFolder folder;
  folder.write("train.tsv", "sentence\tlabel\na\t0\nb\t1\nc\t0\nd\t1\ne\t0\nf\t1\n");
  const Dataset dataset =
      load_dataset({.path = folder.path().string(), .max_train_sentences = 4, .held_out_percent = 25});
  ASSERT_EQ(dataset.train.size(), 3u);
  ASSERT_EQ(dataset.validation.size(), 1u);
  EXPECT_EQ(dataset.train.back().text, "c");
  EXPECT_EQ(dataset.validation.front().text, "d");
}

TEST(Dataset, DoesNotOpenTheValidationFileWhereASliceIsHeldOut) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  folder.write("validation.tsv", "this is\tno\ttable\xff");
  const DatasetOptions options{.path = folder.path().string(), .held_out_percent = 40};
  EXPECT_EQ(load_dataset(options).files.validation, folder.path() / "train.tsv");
  expect_input_error({.path = folder.path().string()}, "validation.tsv");
}

TEST(Dataset, RefusesASliceThatLeavesOnePartEmpty) {
  TemporaryFolder folder;
  folder.write("train.tsv", table);
  expect_input_error({.path = folder.path().string(), .held_out_percent = 1}, "--tune-slice 1 leaves 3 of 3");
  expect_input_error({.path = folder.path().string(), .held_out_percent = 99}, "--tune-slice 99 leaves 0 of 3");
}

}  // namespace
}  // namespace fedtune::data
