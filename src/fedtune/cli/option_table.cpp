#include "fedtune/cli/option_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "fedtune/base/nearest.h"
#include "fedtune/cli/option_values.h"

namespace fedtune::cli {
namespace {

constexpr Limits any{};
constexpr Limits at_least_0{.low = 0, .text = "at least 0"};
constexpr Limits at_least_1{.low = 1, .text = "at least 1"};
constexpr Limits above_0{.low = 0, .text = "above 0", .low_open = true};
constexpr Limits fraction{.low = 0, .high = 1, .text = "above 0, at most 1", .low_open = true};
constexpr Limits probability{.low = 0, .high = 1, .text = "at least 0, below 1", .high_open = true};
constexpr Limits per_cent{.low = 0, .high = 99, .text = "from 0 to 99"};

// Builds rows: the group's heading and its struct are named once.
class Table {
 public:
  struct Row {
    std::string_view name, help;
    Limits limits = any;
    OnResume on_resume = OnResume::must_match;
    bool stored = true;
  };

  template <typename Group, typename T>
  void add(Group Options::*group, T Group::*field, const Row& row) {
    OptionSpec spec = head(row);
    spec.arity = std::same_as<T, bool> ? Arity::flag : Arity::one;
    spec.set = [=](Options& options, std::span<const std::string> values) {
      try {
        options.*group.*field = Value<T>::parse(values.empty() ? "" : values.back(), row.limits);
      } catch (const Error& error) {
        throw usage_error("--{}: {}", row.name, error.what());
      }
    };
    spec.get = [=](const Options& options) { return Value<T>::json(options.*group.*field); };
    specs.push_back(std::move(spec));
  }

  template <typename Group>
  void add(Group Options::*group, std::vector<std::string> Group::*field, const Row& row) {
    OptionSpec spec = head(row);
    spec.arity = Arity::many;
    spec.set = [=](Options& options, std::span<const std::string> values) {
      std::vector<std::string>& list = options.*group.*field;
      list.clear();
      for (const std::string& value : values) split(value, list);
    };
    spec.get = [=](const Options& options) { return nlohmann::json(options.*group.*field); };
    specs.push_back(std::move(spec));
  }

  std::string_view heading;
  std::vector<OptionSpec> specs;

 private:
  OptionSpec head(const Row& row) const {
    OptionSpec spec;
    spec.name = row.name;
    spec.group = heading;
    spec.help = row.help;
    spec.on_resume = row.on_resume;
    spec.stored = row.stored;
    return spec;
  }

  static void split(const std::string& value, std::vector<std::string>& list) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (end > begin) list.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }
};

constexpr auto harmless = OnResume::may_differ;

// Names and defaults of the flags up to --data-name are the reference system's.
void add_federation(Table& t) {
  t.heading = "Federation";
  const auto at = &Options::federation;
  t.add(at, &FederationOptions::scheme, {"scheme", "fedavg|fedlora|fedkdlora"});
  t.add(at, &FederationOptions::num_clients, {"num-clients", "clients", at_least_1});
  t.add(at, &FederationOptions::num_rounds, {"num-rounds", "rounds", at_least_1});
  t.add(at, &FederationOptions::fraction_fit, {"fraction-fit", "share per round", fraction});
  t.add(at, &FederationOptions::weight_by, {"weight-by", "batches|sentences"});
  t.add(at, &FederationOptions::max_client_weight, {"max-client-weight", "cap in the mean; none", above_0});
}

void add_models_and_data(Table& t) {
  t.heading = "Model and data";
  t.add(&Options::models, &ModelOptions::client_ckpt, {"client-ckpt", "folder or hub id"});
  t.add(&Options::models, &ModelOptions::teacher_ckpt, {"teacher-ckpt", "folder or hub id"});
  const auto at = &Options::data;
  t.add(at, &DataOptions::data_path, {"data-path", "folder; glue: hub"});
  t.add(at, &DataOptions::data_name, {"data-name", "task of GLUE"});
  t.add(at, &DataOptions::max_train_sentences, {"max-train-sentences", "rows; 0: all", at_least_0});
  t.add(at, &DataOptions::tune_slice, {"tune-slice", "score the last % of the training rows instead", per_cent});
  t.add(at, &DataOptions::max_length, {"max-length", "tokens", {.low = 3, .text = "at least 3"}});
}

void add_shares(Table& t) {
  t.heading = "Shares";
  const auto at = &Options::shares;
  t.add(at, &ShareOptions::partition, {"partition", "percent|rows|iid|dirichlet|quantity; by default percent"});
  t.add(at, &ShareOptions::teacher_data_pct,
        {"teacher-data-pct", "public % of the rows, cut first; 100/(clients + 1)", per_cent});
  t.add(at, &ShareOptions::alpha, {"alpha", "Dirichlet evenness", above_0});
  t.add(at, &ShareOptions::min_share, {"min-share", "sentences", at_least_1});
}

void add_lora(Table& t) {
  t.heading = "LoRA";
  const auto at = &Options::lora;
  t.add(at, &LoraOptions::r, {"lora-r", "rank", at_least_1});
  t.add(at, &LoraOptions::alpha, {"lora-alpha", "over r: the scale", above_0});
  t.add(at, &LoraOptions::dropout, {"lora-dropout", "on its input", probability});
  t.add(at, &LoraOptions::train_head, {"train-head", "full|low-rank|none"});
  t.add(at, &LoraOptions::target_modules, {"target-modules", "layer names, by commas; query and value of all"});
}

void add_training(Table& t) {
  t.heading = "Training";
  const auto at = &Options::training;
  t.add(at, &TrainingOptions::batch_size, {"batch-size", "sentences", at_least_1});
  t.add(at, &TrainingOptions::client_lr, {"client-lr", "AdamW's rate", above_0});
  t.add(at, &TrainingOptions::client_epochs, {"client-epochs", "passes a round", at_least_1});
  t.add(at, &TrainingOptions::seed, {"seed", "of all chance"});
  t.add(at, &TrainingOptions::workers, {"workers", "at once; all cores", at_least_1, harmless});
  t.add(at, &TrainingOptions::threads, {"threads", "within a client", at_least_1});
  t.add(at, &TrainingOptions::device, {"device", "cpu|cuda[:n]"});
  t.add(at, &TrainingOptions::dtype, {"dtype", "fp32|bf16"});
  t.add(at, &TrainingOptions::kernels, {"kernels", "set, by name"});
}

void add_distillation(Table& t) {
  t.heading = "Distillation";
  const auto at = &Options::distill;
  t.add(at, &DistillOptions::distill_lr, {"distill-lr", "AdamW's rate", at_least_0});
  t.add(at, &DistillOptions::student_lr, {"student-lr", "student's own rate", above_0});
  t.add(at, &DistillOptions::kd_epochs, {"kd-epochs", "passes a round", at_least_0});
  t.add(at, &DistillOptions::teacher_pretrain_epochs, {"teacher-pretrain-epochs", "passes", at_least_0});
  t.add(at, &DistillOptions::kd_loss, {"kd-loss", "or reference"});
  t.add(at, &DistillOptions::kd_terms, {"kd-terms", "kl|attention|none"});
  t.add(at, &DistillOptions::kd_temperature, {"kd-temperature", "of the softmax", above_0});
  t.add(at, &DistillOptions::teacher_guard, {"teacher-guard", "on|off"});
}

void add_pretraining(Table& t) {
  t.heading = "Pretraining";
  t.add(&Options::distill, &DistillOptions::save_steps,
        {"save-steps", "between checkpoints; 0: none", at_least_0, harmless});
}

void add_distillation_step(Table& t) {
  t.heading = "Distillation step";
  const auto at = &Options::distill_step;
  t.add(at, &DistillStepOptions::state, {"state", "folder that keeps the teacher", any, harmless, false});
  t.add(at, &DistillStepOptions::round, {"round", "of the federation", at_least_1, harmless, false});
  t.add(at, &DistillStepOptions::adapters, {"adapters", "averaged, PEFT folder", any, harmless, false});
}

void add_network(Table& t) {
  t.heading = "Network";
  const auto at = &Options::network;
  const auto add = [&](auto field, std::string_view name, std::string_view help, Limits limits = any) {
    const bool of_this_call = name == "server" || name == "superlink" || name == "check";
    t.add(at, field, {name, help, limits, harmless, !of_this_call});
  };
  add(&NetworkOptions::address, "address", "HOST:PORT to listen on");
  add(&NetworkOptions::min_clients, "min-clients", "needed for a round; 0: all", at_least_0);
  add(&NetworkOptions::round_timeout, "round-timeout", "seconds; 0: none", at_least_0);
  add(&NetworkOptions::wait, "wait", "seconds; 0: no end, client 60", at_least_0);
  add(&NetworkOptions::max_connections, "max-connections", "to a server", at_least_1);
  add(&NetworkOptions::max_buffers, "max-buffers", "MB on the way", {.low = 16, .text = "at least 16"});
  add(&NetworkOptions::idle_timeout, "idle-timeout", "s without a call; 0: none", at_least_0);
  add(&NetworkOptions::send_timeout, "send-timeout", "s for 64 kB; 0: none", at_least_0);
  add(&NetworkOptions::server, "server", "HOST:PORT");
  add(&NetworkOptions::superlink, "superlink", "HOST:PORT");
  add(&NetworkOptions::check, "check", "only connect");
  add(&NetworkOptions::rank, "rank", "client, from 1", at_least_0);
  add(&NetworkOptions::tls_ca, "tls-ca", "PEM file");
  add(&NetworkOptions::tls_cert, "tls-cert", "PEM file");
  add(&NetworkOptions::tls_key, "tls-key", "PEM file");
  add(&NetworkOptions::tls_allow, "tls-allow", "file of who may join");
  add(&NetworkOptions::insecure, "insecure", "no TLS; plain HTTP to a hub");
}

void add_run(Table& t) {
  t.heading = "Run";
  const auto at = &Options::run;
  const auto add = [&](auto field, std::string_view name, std::string_view help, bool stored = false) {
    t.add(at, field, {name, help, any, harmless, stored});
  };
  add(&RunOptions::output, "output", "folder of all runs");
  add(&RunOptions::name, "name", "folder; date-time");
  add(&RunOptions::resume, "resume", "run to go on with");
  add(&RunOptions::config, "config", "options as TOML");
  add(&RunOptions::progress, "progress", "auto|bar|plain|none");
  add(&RunOptions::quiet, "quiet", "only errors");
  add(&RunOptions::profile, "profile", "where time goes");
  add(&RunOptions::log_level, "log-level", "error|warning|info|debug");
  t.add(at, &RunOptions::compare_central, {"compare-central", "also train centrally and locally, to compare"});
}

void add_score(Table& t) {
  t.heading = "Scoring";
  const auto at = &Options::score;
  const auto add = [&](auto field, std::string_view name, std::string_view help) {
    t.add(at, field, {name, help, any, harmless, false});
  };
  add(&ScoreOptions::adapter, "adapter", "folder in PEFT's format");
  add(&ScoreOptions::split, "split", "train|validation");
  add(&ScoreOptions::json, "json", "JSON lines instead of TSV");
  add(&ScoreOptions::pairs, "pairs", "predict: a tab between the two texts of a line");
}

void add_sweep(Table& t) {
  t.heading = "Sweep";
  t.add(&Options::sweep, &SweepOptions::table, {"table", "also write it here, .md or .csv", any, harmless, false});
}

void add_drill(Table& t) {
  t.heading = "Drill";
  t.add(&Options::drill, &DrillOptions::faults, {"faults", "TOML file of faults", any, harmless, false});
}

std::string hyphenated(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

}  // namespace

const std::vector<OptionSpec>& option_table() {
  static const std::vector<OptionSpec> specs = [] {
    Table t;
    add_federation(t);
    add_models_and_data(t);
    add_shares(t);
    add_lora(t);
    add_training(t);
    add_distillation(t);
    add_pretraining(t);
    add_distillation_step(t);
    add_network(t);
    add_run(t);
    add_score(t);
    add_sweep(t);
    add_drill(t);
    return std::move(t.specs);
  }();
  return specs;
}

const OptionSpec* find_option(std::string_view name) {
  const auto found = std::ranges::find(option_table(), hyphenated(name), &OptionSpec::name);
  return found == option_table().end() ? nullptr : &*found;
}

std::string nearest_option_hint(std::string_view name) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : option_table()) names.emplace_back(spec.name);
  const std::string near = nearest_name(hyphenated(name), names);
  return near.empty() ? "" : fmt::format("; the nearest is --{}", near);
}

std::string value_text(const nlohmann::json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return value.dump();
  return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), ","));
}

void copy_option(const OptionSpec& spec, const Options& from, Options& into) {
  spec.set(into, std::vector<std::string>{value_text(spec.get(from))});
}

}  // namespace fedtune::cli
