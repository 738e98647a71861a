#include "fedtune/models/config.h"

#include <gmock/gmock.h>

#include "fedtune/base/error.h"

namespace fedtune::models {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json bert_json() {
  return {{"model_type", "bert"},   {"vocab_size", 100},        {"hidden_size", 12},
          {"num_hidden_layers", 3}, {"num_attention_heads", 4}, {"intermediate_size", 24},
          {"type_vocab_size", 2},   {"hidden_act", "gelu"},     {"max_position_embeddings", 40}};
}

json distilbert_json() {
  return {{"model_type", "distilbert"},
          {"vocab_size", 100},
          {"dim", 12},
          {"n_layers", 3},
          {"n_heads", 4},
          {"hidden_dim", 24},
          {"activation", "gelu"},
          {"max_position_embeddings", 40}};
}

json roberta_json() {
  json source = bert_json();
  source.update({{"model_type", "roberta"}, {"type_vocab_size", 1}});
  return source;
}

// The message with which a changed configuration is refused.
std::string refusal_of_config(json source, const json& change) {
  source.merge_patch(change);
  try {
    parse_config(source, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(Config, ReadsBert) {
  json source = bert_json();
  source.update({{"hidden_dropout_prob", 0.3}, {"attention_probs_dropout_prob", 0.4}, {"layer_norm_eps", 1e-5}});
  const ModelConfig config = parse_config(source, "config.json");
  EXPECT_EQ(config.model_type, "bert");
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.head_dim(), 3);
  EXPECT_EQ(config.type_vocab_size, 2);
  EXPECT_EQ(config.num_labels, 2);
  EXPECT_DOUBLE_EQ(config.hidden_dropout, 0.3);
  EXPECT_DOUBLE_EQ(config.attention_output_dropout, 0.3);
  EXPECT_DOUBLE_EQ(config.attention_dropout, 0.4);
  EXPECT_DOUBLE_EQ(config.layer_norm_eps, 1e-5);
}

TEST(Config, BertClassifierDropoutFallsBackToTheHiddenOne) {
  json source = bert_json();
  source.update({{"hidden_dropout_prob", 0.3}, {"classifier_dropout", nullptr}});
  EXPECT_DOUBLE_EQ(parse_config(source, "").classifier_dropout, 0.3);
  source["classifier_dropout"] = 0.5;
  EXPECT_DOUBLE_EQ(parse_config(source, "").classifier_dropout, 0.5);
}

TEST(Config, ReadsDistilBert) {
  json source = distilbert_json();
  source.update({{"dropout", 0.3}, {"attention_dropout", 0.4}, {"seq_classif_dropout", 0.5}});
  const ModelConfig config = parse_config(source, "config.json");
  EXPECT_EQ(config.intermediate_size, 24);
  EXPECT_EQ(config.type_vocab_size, 0);
  EXPECT_DOUBLE_EQ(config.hidden_dropout, 0.3);
  EXPECT_DOUBLE_EQ(config.attention_output_dropout, 0.0);
  EXPECT_DOUBLE_EQ(config.attention_dropout, 0.4);
  EXPECT_DOUBLE_EQ(config.classifier_dropout, 0.5);
}

TEST(Config, ReadsRoberta) {
  json source = roberta_json();
  source.update({{"hidden_dropout_prob", 0.3}, {"layer_norm_eps", 1e-5}});
  const ModelConfig config = parse_config(source, "config.json");
  EXPECT_EQ(config.type_vocab_size, 1);
  EXPECT_EQ(config.pad_token_id, 1);
  EXPECT_EQ(config.first_position, 2);
  EXPECT_EQ(config.longest_sentence(), 38);
  EXPECT_DOUBLE_EQ(config.head_input_dropout, 0.3);
  EXPECT_DOUBLE_EQ(config.classifier_dropout, 0.3);
  EXPECT_DOUBLE_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_EQ(config_to_save(config)["architectures"], json({"RobertaForSequenceClassification"}));
}

TEST(Config, RobertaCountsPositionsFromBehindItsPaddingToken) {
  json source = roberta_json();
  source.update({{"pad_token_id", 4}, {"classifier_dropout", 0.5}});
  const ModelConfig config = parse_config(source, "");
  EXPECT_EQ(config.first_position, 5);
  EXPECT_DOUBLE_EQ(config.head_input_dropout, 0.5);
}

TEST(Config, OtherFamiliesCountPositionsFromZero) {
  for (const json& source : {bert_json(), distilbert_json()}) {
    EXPECT_EQ(parse_config(source, "").first_position, 0);
    EXPECT_EQ(parse_config(source, "").longest_sentence(), 40);
    EXPECT_DOUBLE_EQ(parse_config(source, "").head_input_dropout, 0.0);
  }
}

TEST(Config, RefusesPositionsThatHoldNoSentence) {
  EXPECT_THAT(refusal_of_config(roberta_json(), {{"max_position_embeddings", 2}}),
              HasSubstr("max_position_embeddings is 2, expected more than 2"));
}

TEST(Config, CountsTheClassesByTheirNames) {
  json source = bert_json();
  source["id2label"] = {{"0", "bad"}, {"1", "fair"}, {"2", "good"}};
  EXPECT_EQ(parse_config(source, "").num_labels, 3);
}

// Each gets a name when the config is saved.
TEST(Config, RefusesMoreClassesThanAnyDataHas) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"num_labels", 1 << 24}}), HasSubstr("num_labels is 16777216, expected"));
}

TEST(Config, RefusesAnUnknownModelTypeAndNamesTheNearest) {
  const std::string message = refusal_of_config(bert_json(), {{"model_type", "distillbert"}});
  EXPECT_THAT(message, HasSubstr("unknown model_type \"distillbert\" (did you mean \"distilbert\"?)"));
  EXPECT_THAT(message, HasSubstr("known are: bert, distilbert, roberta"));
}

TEST(Config, RefusesWhatIsNoObject) {
  EXPECT_THAT(refusal_of_config(json::array(), json::array()), HasSubstr("expected a JSON object"));
}

TEST(Config, RefusesAMissingModelType) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"model_type", nullptr}}), HasSubstr("model_type"));
}

TEST(Config, RefusesAMissingSize) {
  EXPECT_THAT(refusal_of_config(distilbert_json(), {{"n_layers", nullptr}}), HasSubstr("n_layers"));
}

TEST(Config, RefusesASizeOfAnotherType) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"hidden_size", "wide"}}), HasSubstr("hidden_size"));
}

TEST(Config, RefusesASizeOutOfRange) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"hidden_size", 0}}),
              HasSubstr("hidden_size is 0, expected a whole number from 1"));
  EXPECT_THAT(refusal_of_config(bert_json(), {{"vocab_size", 1ull << 40}}), HasSubstr("vocab_size is 1099511627776"));
}

TEST(Config, RefusesHeadsThatDoNotDivideTheHiddenSize) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"num_attention_heads", 5}}),
              HasSubstr("hidden size 12 cannot be divided among 5 attention heads"));
}

TEST(Config, RefusesTooManyLayers) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"num_hidden_layers", 100000}}), HasSubstr("100000 layers"));
}

TEST(Config, RefusesAnotherActivation) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"hidden_act", "gelu_new"}}),
              HasSubstr("hidden_act is \"gelu_new\", expected \"gelu\""));
  EXPECT_THAT(refusal_of_config(distilbert_json(), {{"activation", "relu"}}), HasSubstr("activation is \"relu\""));
}

TEST(Config, RefusesRelativePositions) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"position_embedding_type", "relative_key"}}),
              HasSubstr("position_embedding_type is \"relative_key\", expected \"absolute\""));
}

TEST(Config, RefusesADecoder) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"is_decoder", true}}), HasSubstr("is_decoder is true, expected false"));
}

TEST(Config, RefusesADropoutThatIsNoProbability) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"hidden_dropout_prob", 1.0}}), HasSubstr("expected a number in [0, 1)"));
  EXPECT_THAT(refusal_of_config(distilbert_json(), {{"seq_classif_dropout", -0.1}}),
              HasSubstr("seq_classif_dropout is -0.1"));
}

TEST(Config, RefusesAnEpsilonOfZero) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"layer_norm_eps", 0.0}}), HasSubstr("expected a number above 0"));
}

TEST(Config, RefusesAPaddingIdOutsideTheVocabulary) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"pad_token_id", 100}}), HasSubstr("pad_token_id is 100"));
}

TEST(Config, RefusesClassNamesThatAreNoObject) {
  EXPECT_THAT(refusal_of_config(bert_json(), {{"id2label", {"good"}}}), HasSubstr("id2label"));
}

TEST(Config, SavesTheClassificationArchitectureAndItsClasses) {
  json source = bert_json();
  source.update({{"architectures", {"BertModel"}}, {"_name_or_path", "elsewhere"}, {"dtype", "float16"}});
  ModelConfig config = parse_config(source, "config.json");
  config.num_labels = 3;
  const json saved = config_to_save(config);
  EXPECT_EQ(saved["architectures"], json({"BertForSequenceClassification"}));
  EXPECT_EQ(saved["id2label"]["2"], "LABEL_2");
  EXPECT_EQ(saved["label2id"]["LABEL_1"], 1);
  EXPECT_EQ(saved["torch_dtype"], "float32");
  EXPECT_FALSE(saved.contains("_name_or_path"));
  EXPECT_EQ(parse_config(saved, "saved").num_labels, 3);
}

}  // namespace
}  // namespace fedtune::models
