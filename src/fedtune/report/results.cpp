#include "fedtune/report/results.h"

#include "fedtune/base/file.h"

namespace fedtune::report {
namespace {

using nlohmann::ordered_json;

// [[round, value], ...]
template <typename Value>
ordered_json series(const std::vector<RoundMetrics>& metrics, Value value) {
  ordered_json pairs = ordered_json::array();
  for (const RoundMetrics& entry : metrics) pairs.push_back(ordered_json::array({entry.round, value(entry)}));
  return pairs;
}

bool has_teacher(const std::vector<RoundMetrics>& metrics) {
  for (const RoundMetrics& entry : metrics) {
    if (!entry.teacher) return false;
  }
  return !metrics.empty();
}

// The reference's history: what clients score starts at round 1, what the server scores at round 0.
ordered_json reference_history(const std::vector<RoundMetrics>& metrics) {
  std::vector<RoundMetrics> after_start;
  for (const RoundMetrics& entry : metrics) {
    if (entry.round > 0) after_start.push_back(entry);
  }
  const auto loss = [](const RoundMetrics& m) { return m.reference_loss; };
  const auto accuracy = [](const RoundMetrics& m) { return m.accuracy; };
  ordered_json history = {{"losses_distributed", series(after_start, loss)},
                          {"losses_centralized", ordered_json::array()},
                          {"metrics_distributed_fit", ordered_json::object()},
                          {"metrics_distributed", {{"accuracy", series(after_start, accuracy)}}},
                          {"metrics_centralized", ordered_json::object()}};
  if (has_teacher(metrics)) {
    const auto teacher_loss = [](const RoundMetrics& m) { return m.teacher->reference_loss; };
    const auto both = [&](const RoundMetrics& m) { return (teacher_loss(m) + loss(m)) / 2.0; };
    history["losses_centralized"] = series(metrics, both);
    history["metrics_centralized"] = {
        {"teacher_loss", series(metrics, teacher_loss)},
        {"teacher_accuracy", series(metrics, [](const RoundMetrics& m) { return m.teacher->accuracy; })},
        {"student_loss", series(metrics, loss)},
        {"student_accuracy", series(metrics, accuracy)}};
  }
  return history;
}

ordered_json scores(const RoundMetrics& metrics) {
  ordered_json json = {{"round", metrics.round},
                       {"loss", metrics.loss},
                       {"accuracy", metrics.accuracy},
                       {"mcc", metrics.mcc},
                       {"f1", metrics.f1}};
  if (metrics.teacher) {
    json["teacher_loss"] = metrics.teacher->loss;
    json["teacher_accuracy"] = metrics.teacher->accuracy;
  }
  return json;
}

template <typename Entries, typename Form>
ordered_json list_of(const Entries& entries, Form form) {
  ordered_json list = ordered_json::array();
  for (const auto& entry : entries) list.push_back(form(entry));
  return list;
}

ordered_json hash_or_null(const std::string& hash) {
  return hash.empty() ? ordered_json() : ordered_json(hash);
}

ordered_json hashes(const CheckpointHashes& checkpoints) {
  return {{"client", hash_or_null(checkpoints.client)},
          {"teacher", hash_or_null(checkpoints.teacher)},
          {"tokenizer", hash_or_null(checkpoints.tokenizer)}};
}

ordered_json shares(const RunResults& r) {
  return list_of(r.clients, [](const ClientShare& c) {
    return ordered_json{{"rank", c.rank}, {"sentences", c.sentences}, {"batches", c.batches}, {"labels", c.labels}};
  });
}

ordered_json label_counts(const RunResults& r) {
  return {{"public", r.public_labels}, {"validation", r.validation_labels}};
}

ordered_json contributions_of(const RoundContributions& round) {
  return {{"round", round.round},
          {"accepted", list_of(round.accepted,
                               [](const RoundContribution& c) {
                                 return ordered_json{{"rank", c.rank},
                                                     {"weight", c.weight},
                                                     {"norm", c.norm},
                                                     {"change", c.change},
                                                     {"sha256", c.sha256}};
                               })},
          {"left_out", list_of(round.left_out,
                               [](const LeftOut& l) { return ordered_json{{"rank", l.rank}, {"reason", l.reason}}; })},
          {"global_sha256", round.global_sha256}};
}

ordered_json own_part(const RunResults& r) {
  ordered_json json = {
      {"schema", 1},
      {"version", r.version},
      {"torch", r.torch},
      {"cpu", r.cpu},
      {"kernels", r.kernels},
      {"seed", r.seed},
      {"scheme", r.scheme},
      {"metrics", list_of(r.metrics, scores)},
      {"majority_accuracy", r.majority_accuracy},
      {"bytes",
       list_of(r.bytes,
               [](const RoundBytes& b) { return ordered_json{{"round", b.round}, {"up", b.up}, {"down", b.down}}; })},
      {"seconds", list_of(r.seconds,
                          [](const RoundSeconds& s) {
                            return ordered_json{{"round", s.round},         {"train", s.train},
                                                {"aggregate", s.aggregate}, {"distil", s.distil},
                                                {"evaluate", s.evaluate},   {"wait", s.wait}};
                          })},
      {"sentences_per_second", list_of(r.speed,
                                       [](const RoundSpeed& s) {
                                         return ordered_json{{"round", s.round}, {"value", s.sentences_per_second}};
                                       })},
      {"peak_rss_bytes", r.peak_rss_bytes},
      {"public", {{"sentences", r.public_sentences}}},
      {"clients", shares(r)},
      {"contributions", list_of(r.contributions, contributions_of)},
      {"checkpoints", hashes(r.checkpoints)},
      {"final_sha256", r.final_sha256}};
  if (!r.controls.empty()) {
    json["controls"] = list_of(r.controls, [](const Control& control) {
      ordered_json entry = {{"name", control.name}};
      entry.update(scores(control.metrics));
      return entry;
    });
  }
  if (!r.validation_labels.empty()) json["labels"] = label_counts(r);
  if (!r.command.empty()) json["command"] = r.command;
  return json;
}

}  // namespace

ordered_json opening_json(const RunResults& r) {
  return {{"config", r.config},
          {"fedtune",
           {{"version", r.version},
            {"torch", r.torch},
            {"cpu", r.cpu},
            {"kernels", r.kernels},
            {"seed", r.seed},
            {"scheme", r.scheme},
            {"majority_accuracy", r.majority_accuracy},
            {"public", {{"sentences", r.public_sentences}}},
            {"clients", shares(r)},
            {"checkpoints", hashes(r.checkpoints)},
            {"labels", label_counts(r)},
            {"command", r.command}}}};
}

ordered_json to_json(const RunResults& results) {
  return {{"config", results.config},
          {"results", reference_history(results.metrics)},
          {"elapsed_time_secs", results.elapsed_seconds},
          {"fedtune", own_part(results)}};
}

ResultPaths result_paths(const std::filesystem::path& run_folder) {
  const std::filesystem::path folder = run_folder.has_filename() ? run_folder : run_folder.parent_path();
  std::filesystem::path beside = folder;
  beside += ".json";
  return {.in_run_folder = folder / "results.json", .beside_it = beside};
}

void write_results(const RunResults& results, const std::filesystem::path& run_folder) {
  const std::string text = to_json(results).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  const ResultPaths paths = result_paths(run_folder);
  write_file_atomically(paths.beside_it, text);
  write_file_atomically(paths.in_run_folder, text);
}

}  // namespace fedtune::report
