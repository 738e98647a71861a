// results.json: the outcome of a run, written once, last.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace fedtune::report {

struct TeacherScores {
  double loss = 0.0;
  double reference_loss = 0.0;
  double accuracy = 0.0;
};

// Scores of the global model after a round; round 0 is the initial model.
struct RoundMetrics {
  int round = 0;
  double loss = 0.0;            // mean cross-entropy per sentence
  double reference_loss = 0.0;  // sum of the batches' mean losses over the number of sentences: the reference's series
  double accuracy = 0.0;
  double mcc = 0.0;
  double f1 = 0.0;
  std::optional<TeacherScores> teacher{};
};

struct RoundBytes {
  int round = 0;
  std::int64_t up = 0;  // summed over clients, as sent
  std::int64_t down = 0;
};

// Wall clock of the phases of a round.
struct RoundSeconds {
  int round = 0;
  double train = 0.0;
  double aggregate = 0.0;
  double distil = 0.0;
  double evaluate = 0.0;
  double wait = 0.0;
};

struct RoundSpeed {
  int round = 0;
  double sentences_per_second = 0.0;
};

struct ClientShare {
  int rank = 0;                        // 1 .. N
  std::int64_t sentences = 0;          // rows of its share
  std::int64_t batches = 0;            // of one epoch
  std::vector<std::int64_t> labels{};  // rows per class
};

// What a client sent in a round, as far as it was accepted.
struct RoundContribution {
  int rank = 0;
  double weight = 0.0;   // as it entered the mean
  double norm = 0.0;     // L2 of its values
  double change = 0.0;   // L2 of their difference from the round's global tensors
  std::string sha256{};  // of its tensors
};
struct LeftOut {
  int rank = 0;
  std::string reason{};
};
struct RoundContributions {
  int round = 0;
  std::vector<RoundContribution> accepted{};  // ascending rank
  std::vector<LeftOut> left_out{};            // in order of arrival
  std::string global_sha256{};                // after the round
};

// SHA-256 of the files a run started from; empty where there is none.
struct CheckpointHashes {
  std::string client{};
  std::string teacher{};
  std::string tokenizer{};
};

// A control of --compare-central: the same model trained without a federation.
struct Control {
  std::string name{};  // "centralised", "local-1", ...
  RoundMetrics metrics{};
};

struct RunResults {
  nlohmann::ordered_json config = nlohmann::ordered_json::object();  // every flag, with underscores
  double elapsed_seconds = 0.0;
  std::string version;
  std::string torch;
  std::string cpu;
  std::string kernels;  // the set in use, "avx512"
  std::uint64_t seed = 0;
  std::string scheme;
  std::vector<RoundMetrics> metrics;  // rounds 0 .. N
  double majority_accuracy = 0.0;
  std::vector<RoundBytes> bytes;      // rounds 1 .. N
  std::vector<RoundSeconds> seconds;  // rounds 1 .. N
  std::vector<RoundSpeed> speed;      // rounds 1 .. N
  std::int64_t peak_rss_bytes = 0;
  std::int64_t public_sentences = 0;
  std::vector<std::int64_t> public_labels;      // rows per class
  std::vector<std::int64_t> validation_labels;  // rows per class
  std::vector<ClientShare> clients;
  std::vector<RoundContributions> contributions;  // rounds 1 .. N
  CheckpointHashes checkpoints;
  std::string final_sha256;
  std::vector<Control> controls;  // written only where there are some
  std::string command;            // the line that gives this run again; written only where it is known
};

// The reference's keys at the reference's places, and the "fedtune" object beside them. A number that is not finite
// becomes null.
nlohmann::ordered_json to_json(const RunResults& results);
// What is known before the first round, in the same form: its "config" and the parts of its "fedtune" that no round
// changes.
nlohmann::ordered_json opening_json(const RunResults& results);

// The inverse of to_json, as far as the "fedtune" object goes (reference_loss is not in it and stays 0; null becomes
// NaN). Parts that are missing, as in opening_json, are left empty. Throws Error(input) naming `context` and key for
// what is of another type.
RunResults results_from(const nlohmann::json& json, const std::string& context);

struct ResultPaths {
  std::filesystem::path in_run_folder;  // <root>/<name>/results.json
  std::filesystem::path beside_it;      // <root>/<name>.json, where the reference writes it
};
ResultPaths result_paths(const std::filesystem::path& run_folder);
// Writes both files, each at once or not at all. Throws Error(failed).
void write_results(const RunResults& results, const std::filesystem::path& run_folder);

}  // namespace fedtune::report
