// Byte-level BPE's side of tokenizer_files.h.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing.h"
#include "fedtune/text/testing.h"
#include "fedtune/text/tokenizer_files.h"

namespace fedtune::text {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

json byte_level_json() {
  return json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<s>", "special": true, "normalized": false},
                     {"id": 3, "content": "<mask>", "special": true, "normalized": false, "lstrip": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true,
                       "add_prefix_space": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "<mask>": 3, "a": 4, "b": 5, "ab": 6},
              "merges": [["a", "b"]]}
  })");
}

ByteLevelOptions options_of(const TokenizerParts& parts) {
  return std::get<ByteLevelOptions>(parts.pieces);
}

constexpr const char* vocab_json =
    R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "a": 5, "b": 6, "ab": 7})";

TokenizerParts parts_of_files(const std::string& merges, const json& config = json::object()) {
  TemporaryFolder folder;
  folder.write("vocab.json", vocab_json);
  folder.write("merges.txt", merges);
  folder.write("tokenizer_config.json", config.dump());
  return read_tokenizer_files(folder.path());
}

std::string refusal_of_files(const std::function<void(json&)>& change) {
  json changed = byte_level_json();
  change(changed);
  return error_of([&] { parts_of(changed); });
}

TEST(ByteLevelFiles, ReadTokenizerJson) {
  const TokenizerParts parts = parts_of(byte_level_json());
  EXPECT_EQ(options_of(parts).byte_pair.vocabulary.size(), 7U);
  EXPECT_THAT(options_of(parts).byte_pair.merges, ElementsAre(Pair("a", "b")));
  EXPECT_FALSE(options_of(parts).byte_pair.unknown_token);
  EXPECT_THAT(parts.around.before, ElementsAre(0));
  EXPECT_THAT(parts.around.after, ElementsAre(2));
  EXPECT_EQ(parts.pad_id, 1);
}

TEST(ByteLevelFiles, RobertasProcessorSetsTwoSeparatorsBetweenAPair) {
  const auto pair = parts_of(byte_level_json()).around.pair;
  ASSERT_TRUE(pair);
  EXPECT_THAT(pair->before, ElementsAre(0));
  EXPECT_THAT(pair->middle, ElementsAre(2, 2));
  EXPECT_THAT(pair->after, ElementsAre(2));
  EXPECT_EQ(pair->second_type, 0);
}

TEST(ByteLevelFiles, TheConfigAloneSaysWhetherABlankIsSetBefore) {
  EXPECT_FALSE(options_of(parts_of(byte_level_json())).add_prefix_space);
  EXPECT_TRUE(options_of(parts_of(byte_level_json(), {{"add_prefix_space", true}})).add_prefix_space);
}

TEST(ByteLevelFiles, TheFirstYearsWroteMergesAsTextAndNoType) {
  json old = byte_level_json();
  old["model"].erase("type");
  old["model"]["merges"] = {"a b"};
  EXPECT_THAT(options_of(parts_of(old)).byte_pair.merges, ElementsAre(Pair("a", "b")));
}

TEST(ByteLevelFiles, ReadVocabJsonAndMergesTxt) {
  const TokenizerParts parts = parts_of_files("#version: 0.2\na b\r\n\na b\n");
  EXPECT_THAT(options_of(parts).byte_pair.merges, ElementsAre(Pair("a", "b")));
  EXPECT_THAT(parts.around.before, ElementsAre(0));
  ASSERT_TRUE(parts.around.pair);
  EXPECT_THAT(parts.around.pair->middle, ElementsAre(2, 2));
  EXPECT_EQ(parts.pad_id, 1);
  EXPECT_EQ(parts.files.size(), 3U);
}

TEST(ByteLevelFiles, TheMaskTakesTheBlankBeforeItWhereAFileNamesItByItsText) {
  const TokenizerParts parts = parts_of_files("#\n", {{"mask_token", "<mask>"}});
  for (const AddedToken& token : parts.added_tokens) EXPECT_EQ(token.lstrip, token.content == "<mask>");
  EXPECT_EQ(parts.added_tokens.size(), 5U);
}

TEST(ByteLevelFiles, ALineWithoutAnEndIsNotRead) {
  EXPECT_TRUE(options_of(parts_of_files("#version: 0.2\na b")).byte_pair.merges.empty());
  EXPECT_TRUE(options_of(parts_of_files("")).byte_pair.merges.empty());
}

TEST(ByteLevelFiles, AMergeOfOneOrThreeIsAnError) {
  EXPECT_THAT(error_of([] { parts_of_files("#\nab\n"); }), HasSubstr("found \"ab\" among the merges"));
  EXPECT_THAT(error_of([] { parts_of_files("#\na b c\n"); }), HasSubstr("expected two tokens"));
  EXPECT_THAT(error_of([] { parts_of_files("#\na \n"); }), HasSubstr("expected two tokens"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["model"]["merges"] = {1}; }), HasSubstr("found 1 among the merges"));
}

TEST(ByteLevelFiles, MergesThatAreNotUtf8AreAnError) {
  EXPECT_THAT(error_of([] { parts_of_files("#\n\xff b\n"); }), HasSubstr("byte 2 is not UTF-8"));
}

TEST(ByteLevelFiles, WhatChangesIdsAndIsNotComputedIsAnError) {
  EXPECT_THAT(refusal_of_files([](json& t) { t["model"]["dropout"] = 0.1; }),
              HasSubstr("dropout is 0.1, expected none"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["model"]["ignore_merges"] = true; }),
              HasSubstr("ignore_merges is true"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["model"]["end_of_word_suffix"] = "</w>"; }),
              HasSubstr("end_of_word_suffix"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["normalizer"] = {{"type", "NFC"}}; }),
              HasSubstr("expected none beside a BPE"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["pre_tokenizer"]["use_regex"] = false; }),
              HasSubstr("use_regex is false"));
  EXPECT_THAT(refusal_of_files([](json& t) { t["pre_tokenizer"]["type"] = "Whitespace"; }),
              HasSubstr("pre_tokenizer is \"Whitespace\", expected \"ByteLevel\""));
}

TEST(ByteLevelFiles, AnotherClassBesideTheVocabularyIsAnError) {
  EXPECT_THAT(error_of([] { parts_of_files("#\n", {{"tokenizer_class", "GPT2Tokenizer"}}); }),
              HasSubstr("tokenizer_class is GPT2Tokenizer, expected RobertaTokenizer"));
}

TEST(ByteLevelFiles, AVocabularyThatIsNoObjectIsAnError) {
  EXPECT_THAT(refusal_of_files([](json& t) { t["model"]["vocab"] = {1, 2}; }), HasSubstr("the vocabulary is array"));
}

TEST(ByteLevelFiles, AddedTokensJsonCountsOnlyWhereTheConfigNamesNone) {
  TemporaryFolder folder;
  folder.write("tokenizer.json", byte_level_json().dump());
  folder.write("added_tokens.json", R"({"<v>": 7})");
  EXPECT_EQ(read_tokenizer_files(folder.path()).added_tokens.size(), 5U);  // <s>, </s>, <pad>, <mask>, <v>
  folder.write("tokenizer_config.json",
               R"({"added_tokens_decoder": {"7": {"content": "<v>", "lstrip": true, "normalized": true}}})");
  const TokenizerParts parts = read_tokenizer_files(folder.path());
  const auto found = std::find_if(parts.added_tokens.begin(), parts.added_tokens.end(),
                                  [](const AddedToken& token) { return token.content == "<v>"; });
  ASSERT_NE(found, parts.added_tokens.end());
  EXPECT_TRUE(found->lstrip);
}

}  // namespace
}  // namespace fedtune::text
