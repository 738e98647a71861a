#include <limits>

#include "fedtune/format/json_file.h"
#include "fedtune/report/results.h"

namespace fedtune::report {
namespace {

using nlohmann::json;

// Reads one object; what is missing or null is empty.
class Reader {
 public:
  Reader(json object, const std::string& context) : object_(std::move(object)), context_(context) {}

  double number(std::string_view key) const {
    return optional_or<double>(object_, key, std::numeric_limits<double>::quiet_NaN(), context_);
  }
  std::int64_t integer(std::string_view key) const { return optional_or<std::int64_t>(object_, key, 0, context_); }
  int round(std::string_view key = "round") const { return required<int>(object_, key, context_); }
  std::string text(std::string_view key) const { return optional_or<std::string>(object_, key, "", context_); }
  std::vector<std::int64_t> integers(std::string_view key) const {
    return optional_or<std::vector<std::int64_t>>(object_, key, {}, context_);
  }
  Reader object(std::string_view key) const {
    return {optional_or<json>(object_, key, json::object(), context_), context_};
  }
  std::vector<Reader> list(std::string_view key) const {
    std::vector<Reader> readers;
    for (const json& entry : optional_or<std::vector<json>>(object_, key, {}, context_)) {
      readers.emplace_back(entry, context_);
    }
    return readers;
  }
  bool has(std::string_view key) const { return object_.contains(key); }
  const json& value() const { return object_; }

 private:
  json object_;
  const std::string& context_;
};

RoundMetrics metrics_from(const Reader& entry) {
  RoundMetrics metrics{.round = entry.round(),
                       .loss = entry.number("loss"),
                       .accuracy = entry.number("accuracy"),
                       .mcc = entry.number("mcc"),
                       .f1 = entry.number("f1")};
  if (entry.has("teacher_accuracy")) {
    metrics.teacher = {.loss = entry.number("teacher_loss"), .accuracy = entry.number("teacher_accuracy")};
  }
  return metrics;
}

RoundSeconds seconds_from(const Reader& entry) {
  return {.round = entry.round(),
          .train = entry.number("train"),
          .aggregate = entry.number("aggregate"),
          .distil = entry.number("distil"),
          .evaluate = entry.number("evaluate"),
          .wait = entry.number("wait")};
}

void read_rounds(const Reader& own, RunResults& results) {
  for (const Reader& entry : own.list("metrics")) results.metrics.push_back(metrics_from(entry));
  for (const Reader& entry : own.list("bytes")) {
    results.bytes.push_back({.round = entry.round(), .up = entry.integer("up"), .down = entry.integer("down")});
  }
  for (const Reader& entry : own.list("seconds")) results.seconds.push_back(seconds_from(entry));
  for (const Reader& entry : own.list("sentences_per_second")) {
    results.speed.push_back({.round = entry.round(), .sentences_per_second = entry.number("value")});
  }
}

}  // namespace

RunResults results_from(const json& value, const std::string& context) {
  const Reader all(value, context);
  const Reader own = all.object("fedtune");
  RunResults results;
  results.config = all.object("config").value();
  results.elapsed_seconds = all.number("elapsed_time_secs");
  results.version = own.text("version");
  results.torch = own.text("torch");
  results.cpu = own.text("cpu");
  results.kernels = own.text("kernels");
  results.seed = optional_or<std::uint64_t>(own.value(), "seed", 0, context);
  results.scheme = own.text("scheme");
  read_rounds(own, results);
  results.majority_accuracy = own.number("majority_accuracy");
  results.peak_rss_bytes = own.integer("peak_rss_bytes");
  results.public_sentences = own.object("public").integer("sentences");
  results.public_labels = own.object("labels").integers("public");
  results.validation_labels = own.object("labels").integers("validation");
  for (const Reader& client : own.list("clients")) {
    results.clients.push_back({.rank = client.round("rank"),
                               .sentences = client.integer("sentences"),
                               .batches = client.integer("batches"),
                               .labels = client.integers("labels")});
  }
  const Reader hashes = own.object("checkpoints");
  results.checkpoints = {
      .client = hashes.text("client"), .teacher = hashes.text("teacher"), .tokenizer = hashes.text("tokenizer")};
  results.final_sha256 = own.text("final_sha256");
  for (const Reader& control : own.list("controls")) {
    results.controls.push_back({.name = control.text("name"), .metrics = metrics_from(control)});
  }
  results.command = own.text("command");
  return results;
}

}  // namespace fedtune::report
