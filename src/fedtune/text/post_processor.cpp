#include "fedtune/text/post_processor.h"

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::text {
namespace {

using nlohmann::json;

// The ids of a template such as [CLS] $A [SEP], cut in two at $A.
Template read_template(const json& processor, const std::string& source) {
  Template result;
  const json specials = required<json>(processor, "special_tokens", source);
  bool seen_sequence = false;
  for (const json& piece : required<json>(processor, "single", source)) {
    if (piece.contains("Sequence")) {
      seen_sequence = true;
      continue;
    }
    const auto name = required<std::string>(required<json>(piece, "SpecialToken", source), "id", source);
    const auto ids = required<std::vector<std::int32_t>>(required<json>(specials, name, source), "ids", source);
    std::vector<std::int32_t>& side = seen_sequence ? result.after : result.before;
    side.insert(side.end(), ids.begin(), ids.end());
  }
  return result;
}

// [CLS] $A [SEP] $B:1 [SEP]:1, cut at the two texts. A template that numbers token types otherwise is none of ours.
std::optional<PairTemplate> read_pair_template(const json& processor, const std::string& source) {
  if (!processor.contains("pair")) return std::nullopt;
  const json specials = required<json>(processor, "special_tokens", source);
  PairTemplate pair;
  std::vector<std::int32_t>* side = &pair.before;
  std::optional<std::int32_t> second_type;
  for (const json& piece : required<json>(processor, "pair", source)) {
    const json& part =
        piece.contains("Sequence") ? piece.at("Sequence") : required<json>(piece, "SpecialToken", source);
    const auto name = required<std::string>(part, "id", source);
    const auto type = required<std::int32_t>(part, "type_id", source);
    if (piece.contains("Sequence")) {
      if (name != (side == &pair.before ? "A" : "B")) return std::nullopt;
      side = side == &pair.before ? &pair.middle : &pair.after;
      if (name == "B") second_type = type;
    } else {
      const auto ids = required<std::vector<std::int32_t>>(required<json>(specials, name, source), "ids", source);
      side->insert(side->end(), ids.begin(), ids.end());
    }
    if (type != second_type.value_or(0)) return std::nullopt;
  }
  if (!second_type || *second_type < 0 || *second_type > 1) return std::nullopt;
  pair.second_type = *second_type;
  return pair;
}

Delimiters read_delimiters(const json& processor) {
  return {.cls = processor.at("cls").at(1).get<std::int32_t>(), .sep = processor.at("sep").at(1).get<std::int32_t>()};
}

}  // namespace

Template bert_template(const Delimiters& ids) {
  return {.before = {ids.cls},
          .after = {ids.sep},
          .pair = PairTemplate{.before = {ids.cls}, .middle = {ids.sep}, .after = {ids.sep}, .second_type = 1}};
}

Template roberta_template(const Delimiters& ids) {
  return {
      .before = {ids.cls},
      .after = {ids.sep},
      .pair = PairTemplate{.before = {ids.cls}, .middle = {ids.sep, ids.sep}, .after = {ids.sep}, .second_type = 0}};
}

Template read_post_processor(const json& root, const std::string& source) {
  const json processor = root.value("post_processor", json());
  const std::string type = processor.is_object() ? processor.value("type", "none") : "none";
  if (type == "BertProcessing") return bert_template(read_delimiters(processor));
  if (type == "RobertaProcessing") return roberta_template(read_delimiters(processor));
  if (type == "TemplateProcessing") {
    Template result = read_template(processor, source);
    result.pair = read_pair_template(processor, source);
    return result;
  }
  throw input_error(
      "{}: post_processor is \"{}\", expected \"TemplateProcessing\", \"BertProcessing\" or \"RobertaProcessing\"",
      source, type);
}

}  // namespace fedtune::text
