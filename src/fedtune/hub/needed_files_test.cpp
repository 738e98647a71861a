#include "fedtune/hub/needed_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using Names = std::vector<std::string>;

TEST(NeededFiles, OfAModelAreItsConfigItsTokenizerAndItsSafetensorsAndNoPickle) {
  const Names all{"README.md",         "config.json",           "flax_model.msgpack",
                  "model.safetensors", "onnx/model.onnx",       "pytorch_model.bin",
                  "tokenizer.json",    "tokenizer_config.json", "vocab.txt"};
  EXPECT_THAT(needed_of_model(all), UnorderedElementsAre("config.json", "tokenizer.json", "tokenizer_config.json",
                                                         "vocab.txt", "model.safetensors"));
  EXPECT_EQ(missing_of_model(all), "");
}

TEST(NeededFiles, AnIndexIsNeededOnlyWhereThereIsNoSingleFile) {
  const Names shards{"config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors", "vocab.txt"};
  EXPECT_THAT(needed_of_model(shards),
              UnorderedElementsAre("config.json", "model.safetensors.index.json", "vocab.txt"));
  const Names both{"config.json", "model.safetensors", "model.safetensors.index.json"};
  EXPECT_THAT(needed_of_model(both), UnorderedElementsAre("config.json", "model.safetensors"));
}

TEST(NeededFiles, ShardsAreThoseTheIndexNames) {
  EXPECT_THAT(
      shards_of_index(R"({"weight_map": {"a": "m-2.safetensors", "b": "m-1.safetensors", "c": "m-1.safetensors"}})",
                      "index"),
      ElementsAre("m-1.safetensors", "m-2.safetensors"));
}

TEST(NeededFiles, AnIndexThatLeadsOutOfItsFolderOrToAPickleIsRefused) {
  for (const char* file : {R"("../x.safetensors")", R"("/x.safetensors")", R"("a/x.safetensors")", R"("x.bin")", "3"}) {
    try {
      shards_of_index(fmt::format(R"({{"weight_map": {{"a": {}}}}})", file), "index");
      ADD_FAILURE() << file;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr("expected a safetensors file beside the index"));
    }
  }
}

TEST(NeededFiles, WhatAModelLacksIsSaid) {
  EXPECT_EQ(missing_of_model(Names{"model.safetensors"}), "a config.json");
  EXPECT_EQ(missing_of_model(Names{"config.json", "vocab.txt"}), "a model.safetensors");
  EXPECT_THAT(missing_of_model(Names{"config.json", "pytorch_model.bin", "vocab.txt"}), HasSubstr("is a pickle"));
  EXPECT_THAT(missing_of_model(Names{"config.json", "model.safetensors", "vocab.json"}), HasSubstr("a tokenizer"));
  EXPECT_EQ(missing_of_model(Names{"config.json", "model.safetensors", "vocab.json", "merges.txt"}), "");
}

TEST(NeededFiles, OfADataSetAreTheTablesOfItsSubset) {
  const Names glue{"README.md",
                   "ax/test-00000-of-00001.parquet",
                   "cola/test-00000-of-00001.parquet",
                   "cola/train-00000-of-00001.parquet",
                   "cola/validation-00000-of-00001.parquet",
                   "mnli/train-00000-of-00001.parquet",
                   "mnli/validation_matched-00000-of-00001.parquet",
                   "mnli/validation_mismatched-00000-of-00001.parquet",
                   "mnli_matched/validation-00000-of-00001.parquet"};
  EXPECT_THAT(needed_of_dataset(glue, "cola"),
              ElementsAre("cola/train-00000-of-00001.parquet", "cola/validation-00000-of-00001.parquet"));
  EXPECT_THAT(needed_of_dataset(glue, "mnli"),
              ElementsAre("mnli/train-00000-of-00001.parquet", "mnli/validation_matched-00000-of-00001.parquet",
                          "mnli/validation_mismatched-00000-of-00001.parquet"));
  EXPECT_EQ(missing_of_dataset(glue, "mnli"), "");
  EXPECT_THAT(missing_of_dataset(glue, "mnli_matched"), HasSubstr("mnli_matched/train-*.parquet"));
  EXPECT_THAT(missing_of_dataset(glue, "ax"), HasSubstr("a training table"));
}

TEST(NeededFiles, ADataSetWithoutSubsetsKeepsItsTablesInDataOrOnTop) {
  EXPECT_THAT(needed_of_dataset(Names{"data/train-0.parquet", "data/validation-0.parquet", "trainer.py"}, "x"),
              ElementsAre("data/train-0.parquet", "data/validation-0.parquet"));
  EXPECT_THAT(needed_of_dataset(Names{"dev.jsonl", "train.jsonl", "train.pkl"}, "x"),
              ElementsAre("dev.jsonl", "train.jsonl"));
  EXPECT_THAT(missing_of_dataset(Names{"train.csv"}, "x"), HasSubstr("a validation table"));
}

}  // namespace
}  // namespace fedtune::hub
