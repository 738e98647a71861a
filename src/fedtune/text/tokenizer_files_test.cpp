#include "fedtune/text/tokenizer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/temporary_folder.h"
#include "fedtune/base/testing.h"
#include "fedtune/text/testing.h"

namespace fedtune::text {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* film_vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\n";

json tokenizer_json() {
  return json::parse(R"({
    "added_tokens": [{"id": 0, "content": "[PAD]", "special": true, "normalized": false}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                   "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 50,
              "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "film": 4}}
  })");
}

TokenizerParts parts_of_vocabulary(const std::string& text, const json& config = json::object()) {
  TemporaryFolder folder;
  folder.write("vocab.txt", text);
  folder.write("tokenizer_config.json", config.dump());
  return read_tokenizer_files(folder.path());
}

BertOptions bert(const TokenizerParts& parts) {
  return std::get<BertOptions>(parts.pieces);
}

TEST(TokenizerFiles, ReadTokenizerJson) {
  const TokenizerParts parts = parts_of(tokenizer_json());
  EXPECT_EQ(bert(parts).word_piece.vocabulary.size(), 5U);
  EXPECT_EQ(bert(parts).word_piece.max_characters_per_word, 50);
  EXPECT_EQ(parts.around.before, std::vector<std::int32_t>{2});
  EXPECT_EQ(parts.around.after, std::vector<std::int32_t>{3});
}

json with_pair_template(const json& pair) {
  json tokenizer = tokenizer_json();
  tokenizer["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       json::parse(R"([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}])")},
      {"pair", pair},
      {"special_tokens", {{"[CLS]", {{"id", "[CLS]"}, {"ids", {2}}}}, {"[SEP]", {{"id", "[SEP]"}, {"ids", {3}}}}}}};
  return tokenizer;
}

TEST(TokenizerFiles, BertsProcessorSetsTwoSeparatorsInAPair) {
  const auto pair = parts_of(tokenizer_json()).around.pair;
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->middle, std::vector<std::int32_t>{3});
  EXPECT_EQ(pair->after, std::vector<std::int32_t>{3});
  EXPECT_EQ(pair->second_type, 1);
}

TEST(TokenizerFiles, ATemplateSaysWhatStandsInAPair) {
  const auto pair =
      parts_of(with_pair_template(json::parse(
                   R"([{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                                     {"Sequence": {"id": "B", "type_id": 0}}])")))
          .around.pair;
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->before, std::vector<std::int32_t>{2});
  EXPECT_EQ(pair->middle, (std::vector<std::int32_t>{3, 3}));
  EXPECT_TRUE(pair->after.empty());
  EXPECT_EQ(pair->second_type, 0);
}

TEST(TokenizerFiles, ATemplateThatTurnsThePairAroundIsNotUsed) {
  EXPECT_FALSE(parts_of(with_pair_template(json::parse(
                            R"([{"Sequence": {"id": "B", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}])")))
                   .around.pair);
}

TEST(TokenizerFiles, TheConfigOutranksTheNormalizer) {
  EXPECT_TRUE(bert(parts_of(tokenizer_json())).normalizer.lowercase);
  EXPECT_FALSE(bert(parts_of(tokenizer_json(), {{"do_lower_case", false}})).normalizer.lowercase);
  EXPECT_EQ(bert(parts_of(tokenizer_json(), {{"strip_accents", false}})).normalizer.strip_accents, false);
}

TEST(TokenizerFiles, AGenericTokenizerClassKeepsTheNormalizer) {
  const json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"do_lower_case", false}};
  EXPECT_TRUE(bert(parts_of(tokenizer_json(), config)).normalizer.lowercase);
}

TEST(TokenizerFiles, AVeryLargeMaximumIsNone) {
  const json config = {{"model_max_length", 1e30}};
  EXPECT_EQ(parts_of(tokenizer_json(), config).model_max_length, std::numeric_limits<std::int64_t>::max());
}

TEST(TokenizerFiles, ReadVocabTxtWithEitherLineEnd) {
  EXPECT_EQ(bert(parts_of_vocabulary("[UNK]\r\n[CLS]\r\n[SEP]\r\nfilm")).word_piece.vocabulary.at("film"), 3);
}

TEST(TokenizerFiles, TakeSpecialTokensFromTheMap) {
  TemporaryFolder folder;
  folder.write("vocab.txt", "<unk>\n<s>\n</s>\nfilm\n");
  folder.write("special_tokens_map.json",
               R"({"unk_token": "<unk>", "cls_token": {"content": "<s>", "lstrip": true}, "sep_token": "</s>"})");
  const TokenizerParts parts = read_tokenizer_files(folder.path());
  EXPECT_EQ(parts.around.before, std::vector<std::int32_t>{1});
  EXPECT_EQ(bert(parts).word_piece.unknown_token, "<unk>");
}

TEST(TokenizerFiles, AFolderWithoutThemIsAnError) {
  TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_tokenizer_files(folder.path()); }),
              HasSubstr("neither tokenizer.json nor vocab.txt nor vocab.json with merges.txt"));
}

TEST(TokenizerFiles, AnotherModelIsAnError) {
  json other = tokenizer_json();
  other["model"]["type"] = "Unigram";
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("model is \"Unigram\", expected \"WordPiece\""));
}

TEST(TokenizerFiles, AnotherNormalizerIsAnError) {
  json other = tokenizer_json();
  other["normalizer"] = {{"type", "NFC"}};
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("normalizer is \"NFC\""));
}

TEST(TokenizerFiles, AMissingPreTokenizerIsAnError) {
  json other = tokenizer_json();
  other["pre_tokenizer"] = nullptr;
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("pre_tokenizer is none"));
}

TEST(TokenizerFiles, AnotherPostProcessorIsAnError) {
  json other = tokenizer_json();
  other["post_processor"] = {{"type", "ByteLevel"}};
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("post_processor is \"ByteLevel\""));
}

TEST(TokenizerFiles, ANegativeIdIsAnError) {
  json other = tokenizer_json();
  other["model"]["vocab"]["film"] = -4;
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("gives 'film' the id -4"));
}

// It would be looked up among the model's weights.
TEST(TokenizerFiles, AnAddedTokenOfANegativeIdIsAnError) {
  json other = tokenizer_json();
  other["added_tokens"].push_back({{"id", -8}, {"content", "new"}});
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("the added token 'new' has the id -8"));
}

TEST(TokenizerFiles, AProcessorsIdThatIsNoTokensIsAnError) {
  for (const int id : {-2, 5, 2'000'000}) {
    json other = tokenizer_json();
    other["post_processor"]["sep"] = {"[SEP]", id};
    EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr(fmt::format("sets the id {} around a text", id)));
  }
}

TEST(TokenizerFiles, PartsOfAnotherShapeAreAnError) {
  json other = tokenizer_json();
  other["post_processor"] = {{"type", "BertProcessing"}, {"cls", "x"}};
  EXPECT_THAT(error_of([&] { parts_of(other); }), HasSubstr("not as transformers writes them"));
}

TEST(TokenizerFiles, AnUnsupportedClassBesideVocabTxtIsAnError) {
  EXPECT_THAT(error_of([] { parts_of_vocabulary(film_vocabulary, {{"tokenizer_class", "BertJapaneseTokenizer"}}); }),
              HasSubstr("tokenizer_class is BertJapaneseTokenizer"));
}

TEST(TokenizerFiles, AVocabularyWithoutItsSpecialTokenIsAnError) {
  EXPECT_THAT(error_of([] { parts_of_vocabulary("[UNK]\n[CLS]\nfilm\n"); }),
              HasSubstr("sep_token '[SEP]' is not among"));
}

TEST(TokenizerFiles, AVocabularyThatIsNotUtf8IsAnError) {
  EXPECT_THAT(error_of([] { parts_of_vocabulary("[UNK]\n\xff\n"); }), HasSubstr("byte 6 is not UTF-8"));
}

TEST(TokenizerFiles, ATooSmallMaximumIsAnError) {
  EXPECT_THAT(error_of([] { parts_of(tokenizer_json(), {{"model_max_length", 1}}); }),
              HasSubstr("model_max_length is 1"));
}

}  // namespace
}  // namespace fedtune::text
