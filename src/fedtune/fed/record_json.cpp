#include "fedtune/fed/record_json.h"

#include <limits>
#include <vector>

#include "fedtune/format/json_file.h"

namespace fedtune::fed {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Reads the keys of one object.
class FieldReader {
 public:
  FieldReader(const json& object, const std::string& context) : object_(object), context_(context) {}

  double number(std::string_view key) const {
    return optional_or<double>(object_, key, std::numeric_limits<double>::quiet_NaN(), context_);
  }
  std::int64_t integer(std::string_view key) const { return required<std::int64_t>(object_, key, context_); }
  int rank(std::string_view key) const { return required<int>(object_, key, context_); }
  std::string text(std::string_view key) const { return required<std::string>(object_, key, context_); }
  std::string text_or_empty(std::string_view key) const { return optional_or<std::string>(object_, key, "", context_); }
  std::vector<json> list(std::string_view key) const { return required<std::vector<json>>(object_, key, context_); }
  json object(std::string_view key) const { return required<json>(object_, key, context_); }
  bool has(std::string_view key) const { return object_.contains(key); }

 private:
  const json& object_;
  const std::string& context_;
};

ordered_json to_json(const Evaluation& e) {
  ordered_json json = {{"loss", e.loss},
                       {"reference_loss", e.reference_loss},
                       {"accuracy", e.accuracy},
                       {"mcc", e.mcc},
                       {"f1", e.f1},
                       {"sentences", e.sentences}};
  if (e.teacher) {
    json["teacher"] = {
        {"loss", e.teacher->loss}, {"reference_loss", e.teacher->reference_loss}, {"accuracy", e.teacher->accuracy}};
  }
  return json;
}

Evaluation evaluation_from(const json& json, const std::string& context) {
  const FieldReader reader(json, context);
  Evaluation evaluation{.loss = reader.number("loss"),
                        .reference_loss = reader.number("reference_loss"),
                        .accuracy = reader.number("accuracy"),
                        .mcc = reader.number("mcc"),
                        .f1 = reader.number("f1"),
                        .sentences = reader.integer("sentences"),
                        .teacher = std::nullopt};
  if (reader.has("teacher")) {
    const auto object = reader.object("teacher");
    const FieldReader teacher(object, context);
    evaluation.teacher = {.loss = teacher.number("loss"),
                          .reference_loss = teacher.number("reference_loss"),
                          .accuracy = teacher.number("accuracy")};
  }
  return evaluation;
}

ordered_json to_json(const ClientRecord& c) {
  return {{"rank", c.rank},
          {"weight", c.weight},
          {"sentences", c.report.sentences},
          {"batches", c.report.batches},
          {"tokens", c.report.tokens},
          {"loss", c.report.loss},
          {"seconds", c.report.seconds},
          {"norm", c.norm},
          {"change", c.change},
          {"sent_weight", c.sent_weight},
          {"sha256", c.sha256}};
}

ClientRecord client_from(const json& json, const std::string& context) {
  const FieldReader reader(json, context);
  return {.rank = reader.rank("rank"),
          .weight = reader.number("weight"),
          .report = {.sentences = reader.integer("sentences"),
                     .batches = reader.integer("batches"),
                     .tokens = reader.integer("tokens"),
                     .loss = reader.number("loss"),
                     .seconds = reader.number("seconds")},
          .sha256 = reader.text_or_empty("sha256"),
          .norm = reader.number("norm"),
          .change = reader.number("change"),
          .sent_weight = reader.number("sent_weight")};
}

PhaseSeconds seconds_from(const json& json, const std::string& context) {
  const FieldReader reader(json, context);
  return {.train = reader.number("train"),
          .aggregate = reader.number("aggregate"),
          .distil = reader.number("distil"),
          .evaluate = reader.number("evaluate"),
          .wait = reader.number("wait")};
}

}  // namespace

ordered_json to_json(const RoundRecord& record) {
  ordered_json accepted = ordered_json::array();
  for (const ClientRecord& client : record.accepted) accepted.push_back(to_json(client));
  ordered_json refused = ordered_json::array();
  for (const Refusal& refusal : record.refused) {
    refused.push_back(ordered_json{{"rank", refusal.rank}, {"reason", refusal.reason}});
  }
  const PhaseSeconds& seconds = record.seconds;
  return {{"round", record.round},
          {"cohort", record.cohort},
          {"accepted", accepted},
          {"refused", refused},
          {"bytes_up", record.bytes_up},
          {"bytes_down", record.bytes_down},
          {"seconds",
           {{"train", seconds.train},
            {"aggregate", seconds.aggregate},
            {"distil", seconds.distil},
            {"evaluate", seconds.evaluate},
            {"wait", seconds.wait}}},
          {"evaluation", to_json(record.evaluation)},
          {"global_sha256", record.global_sha256}};
}

RoundRecord round_record_from(const json& json, const std::string& context) {
  const FieldReader reader(json, context);
  RoundRecord record;
  record.round = reader.rank("round");
  record.cohort = required<std::vector<int>>(json, "cohort", context);
  for (const auto& client : reader.list("accepted")) record.accepted.push_back(client_from(client, context));
  for (const auto& refusal : reader.list("refused")) {
    const FieldReader entry(refusal, context);
    record.refused.push_back({.rank = entry.rank("rank"), .reason = entry.text("reason")});
  }
  record.bytes_up = reader.integer("bytes_up");
  record.bytes_down = reader.integer("bytes_down");
  record.seconds = seconds_from(reader.object("seconds"), context);
  record.evaluation = evaluation_from(reader.object("evaluation"), context);
  record.global_sha256 = reader.text_or_empty("global_sha256");
  return record;
}

}  // namespace fedtune::fed
