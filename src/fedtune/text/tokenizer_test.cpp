#include "fedtune/text/tokenizer.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/format/json_file.h"

namespace fedtune::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path golden = std::filesystem::path(FEDTUNE_SOURCE_DIR) / "tests/golden/tokenizer";

// [PAD] [UNK] [CLS] [SEP] [MASK] the film ! ##s
constexpr const char* vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfilm\n!\n##s\n";

void expect_golden_ids(const std::string& variant) {
  const Tokenizer tokenizer = Tokenizer::load(golden / variant);
  const nlohmann::json expected = load_json(golden / "expected.json");
  const auto max_length = expected.at("max_length").get<std::int64_t>();
  ASSERT_GT(expected.at("cases").size(), 100U);
  for (const nlohmann::json& entry : expected.at("cases")) {
    const auto text = entry.at("text").get<std::string>();
    EXPECT_EQ(tokenizer.encode(text, max_length), entry.at(variant).get<std::vector<std::int32_t>>()) << entry.dump();
  }
}

TEST(Tokenizer, GivesTheReferencesIdsFromTokenizerJson) {
  expect_golden_ids("uncased");
}

TEST(Tokenizer, GivesTheReferencesIdsFromVocabTxt) {
  expect_golden_ids("cased");
}

TEST(Tokenizer, GivesTheReferencesIdsByBytePairs) {
  expect_golden_ids("bytes");
}

void expect_golden_pairs(const std::string& variant) {
  const Tokenizer tokenizer = Tokenizer::load(golden / variant);
  const nlohmann::json expected = load_json(golden / "pairs.json");
  ASSERT_GT(expected.at("cases").size(), 100U);
  for (const nlohmann::json& entry : expected.at("cases")) {
    const EncodedPair pair =
        tokenizer.encode_pair(entry.at("first").get<std::string>(), entry.at("second").get<std::string>(),
                              entry.at("max_length").get<std::int64_t>());
    std::vector<std::int32_t> types(pair.ids.size());
    std::fill(types.begin() + pair.type_1_from, types.end(), 1);
    EXPECT_EQ(pair.ids, entry.at(variant).at("ids").get<std::vector<std::int32_t>>()) << entry.dump();
    EXPECT_EQ(types, entry.at(variant).at("types").get<std::vector<std::int32_t>>()) << entry.dump();
  }
}

TEST(Tokenizer, GivesTheReferencesIdsAndTypesForPairsFromTokenizerJson) {
  expect_golden_pairs("uncased");
}

TEST(Tokenizer, GivesTheReferencesIdsAndTypesForPairsFromVocabTxt) {
  expect_golden_pairs("cased");
}

TEST(Tokenizer, GivesTheReferencesIdsForPairsByBytePairs) {
  expect_golden_pairs("bytes");
}

TEST(Tokenizer, RefusesALengthWithoutRoomForThePairsSpecialTokens) {
  EXPECT_THROW(Tokenizer::load(golden / "cased").encode_pair("the", "the", 2), Error);
}

TEST(Tokenizer, CutsFromTheRightAndKeepsTheLastSpecialToken) {
  TemporaryFolder folder;
  folder.write("vocab.txt", vocabulary);
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_THAT(tokenizer.encode("the films!", 512), ElementsAre(2, 5, 6, 8, 7, 3));
  EXPECT_THAT(tokenizer.encode("the films!", 4), ElementsAre(2, 5, 6, 3));
  EXPECT_THAT(tokenizer.encode("the films!", 2), ElementsAre(2, 3));
}

TEST(Tokenizer, RefusesALengthWithoutRoomForSpecialTokens) {
  const Tokenizer tokenizer = Tokenizer::load(golden / "cased");
  EXPECT_THROW(tokenizer.encode("the", 1), Error);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const Tokenizer tokenizer = Tokenizer::load(golden / "cased");
  try {
    tokenizer.encode("the \xff film", 16);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("byte 4"));
  }
}

TEST(Tokenizer, SaysHowManyIdsAndTokensTheModelNeeds) {
  TemporaryFolder folder;
  folder.write("vocab.txt", vocabulary);
  folder.write("tokenizer_config.json", R"({"model_max_length": 64})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.vocab_size(), 9);
  EXPECT_EQ(tokenizer.model_max_length(), 64);
  EXPECT_EQ(tokenizer.pad_id(), 0);
}

TEST(Tokenizer, NamesATokenThatAnotherReadsAsSomethingElse) {
  const auto load = [](const std::string& tokens, const std::string& added = "{}") {
    const TemporaryFolder folder;
    folder.write("vocab.txt", tokens);
    folder.write("added_tokens.json", added);
    return Tokenizer::load(folder.path());
  };
  const Tokenizer small = load(vocabulary);
  EXPECT_FALSE(small.first_other_token(small));
  EXPECT_FALSE(small.first_other_token(load(std::string(vocabulary) + "more\n")));
  EXPECT_EQ(load(std::string(vocabulary) + "more\n").first_other_token(small), "more");
  EXPECT_EQ(small.first_other_token(load("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfilm\nthe\n!\n##s\n")), "film");
  EXPECT_EQ(load(vocabulary, R"({"<v>": 9})").first_other_token(small), "<v>");
}

TEST(Tokenizer, KnowsWhetherAFolderHoldsOne) {
  EXPECT_TRUE(Tokenizer::is_in(golden / "cased"));
  EXPECT_TRUE(Tokenizer::is_in(golden / "bytes"));
  EXPECT_TRUE(Tokenizer::is_in(golden.parent_path() / "roberta"));
  const TemporaryFolder folder;
  folder.write("vocab.json", "{}");
  EXPECT_FALSE(Tokenizer::is_in(folder.path()));
}

TEST(Tokenizer, HashChangesWithAnyOfItsFiles) {
  TemporaryFolder folder;
  folder.write("vocab.txt", vocabulary);
  const std::string before = Tokenizer::load(folder.path()).sha256();
  EXPECT_EQ(Tokenizer::load(folder.path()).sha256(), before);
  folder.write("tokenizer_config.json", "{}");
  EXPECT_NE(Tokenizer::load(folder.path()).sha256(), before);
}

TEST(Tokenizer, ReadsFromVocabAndMergesWhatItSaved) {
  const std::filesystem::path source = golden.parent_path() / "roberta";
  const TemporaryFolder folder;
  Tokenizer::load(source).save(folder.path());
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.sha256(), Tokenizer::load(source).sha256());
  EXPECT_EQ(tokenizer.vocab_size(), 310);
  EXPECT_EQ(tokenizer.pad_id(), 1);
  // A blank is set before the text, and before what follows a special token.
  EXPECT_EQ(tokenizer.encode("film", 24), tokenizer.encode(" film", 24));
  EXPECT_EQ(tokenizer.encode("<unk>film", 24), tokenizer.encode("<unk> film", 24));
}

TEST(Tokenizer, SeveralThreadsGetTheSameIds) {
  const Tokenizer tokenizer = Tokenizer::load(golden / "uncased");
  const std::string text = "Unbelievable na\u00efve \u5b57 [SEP] film";
  const std::vector<std::int32_t> expected = tokenizer.encode(text, 64);
  std::vector<std::thread> threads;
  std::vector<int> equal(4);
  threads.reserve(equal.size());
  for (int& count : equal) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += tokenizer.encode(text, 64) == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, ::testing::Each(200));
}

}  // namespace
}  // namespace fedtune::text
