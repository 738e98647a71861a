#include <array>

#include "fedtune/cli/command.h"

namespace fedtune::cli {

std::span<const Command> commands() {
  static const std::vector<Command> list{
      {.name = "run",
       .arguments = "",
       .summary = "a whole federation in this process: clients, rounds, results",
       .help_groups = {"Federation", "Model and data", "Shares", "LoRA", "Training", "Distillation", "Run"},
       .trains = true,
       .run = run_command},
#ifdef FEDTUNE_NET
      {.name = "server",
       .arguments = "",
       .summary = "the same federation with its clients elsewhere: rounds, results",
       .help_options = {"address",     "min-clients",  "round-timeout", "wait",      "max-connections",
                        "max-buffers", "idle-timeout", "send-timeout",  "tls-ca",    "tls-cert",
                        "tls-key",     "tls-allow",    "insecure",      "scheme",    "num-clients",
                        "num-rounds",  "client-ckpt",  "teacher-ckpt",  "data-path", "output",
                        "name",        "resume",       "config"},
       .note = "All other options are those of fedtune run, and mean the same. A round starts\n"
               "when --min-clients are there and ends when all have answered, or after\n"
               "--round-timeout. Off this machine --tls-cert and --tls-key are needed.\n",
       .trains = true,
       .run = server_command},
      {.name = "client",
       .arguments = "",
       .summary = "one owner of data: joins a server, trains when asked",
       .help_options = {"server", "rank", "wait", "check", "tls-ca", "tls-cert", "tls-key", "insecure", "client-ckpt",
                        "data-path", "device", "threads", "profile", "quiet", "log-level", "config"},
       .note = "The server's options hold: scheme, seed, rates and the like need not be given,\n"
               "and one that contradicts is exit 2. --check says what the server announces.\n",
       .trains = true,
       .run = client_command},
      {.name = "drill",
       .arguments = "",
       .summary = "a server and its clients as processes, and faults by a script",
       .help_options = {"faults", "num-clients", "num-rounds", "scheme", "min-clients", "round-timeout", "wait",
                        "client-ckpt", "data-path", "output", "name", "quiet", "config"},
       .note = "Takes the options of fedtune server. FILE is TOML: seed; [[fault]] tables with\n"
               "kind (kill, hang, delay, corrupt, nan, duplicate, partition, full-disk), whom it\n"
               "strikes (fraction, clients or server) and when (rounds, seconds); [expect].\n"
               "Ends with a table of what happened, and exit code 1 where that was not expected\n"
               "or is not over after --wait seconds (600). The manual is docs/reliability.md.\n",
       .run = drill_command},
      {.name = "keys",
       .arguments = "FOLDER",
       .summary = "certificates for a trial: an authority, a server, its clients",
       .max_positionals = 1,
       .help_options = {"num-clients", "address"},
       .note = "The server's certificate is for this machine and the host of --address. The\n"
               "authority's own key is not kept. docs/deploy.md says who gets which file.\n",
       .run = keys_command},
#endif
      {.name = "replay",
       .arguments = "RUN",
       .summary = "recomputes a run from its log and compares every hash",
       .max_positionals = 1,
       .help_options = {"output", "client-ckpt", "teacher-ckpt", "data-path", "workers", "profile", "quiet"},
       .note = "RUN is a folder, or a name under --output, of run or server. The clients that\n"
               "its log says were accepted train again, here, with the weights they sent. The\n"
               "first round that differs is named, and the exit code is 1; RUN stays as it is.\n"
               "The options are the run's; where model and data lie now may be said.\n",
       .trains = true,
       .run = replay_command},
      {.name = "pretrain",
       .arguments = "",
       .summary = "fine-tunes the teacher, all of it, on the public share",
       .help_options = {"teacher-ckpt",
                        "data-path",
                        "data-name",
                        "max-train-sentences",
                        "max-length",
                        "num-clients",
                        "teacher-data-pct",
                        "teacher-pretrain-epochs",
                        "client-lr",
                        "batch-size",
                        "seed",
                        "threads",
                        "workers",
                        "device",
                        "save-steps",
                        "output",
                        "profile",
                        "progress",
                        "quiet",
                        "config"},
       .note = "Writes OUTPUT/model/{C}_{D}_{P}pct_{E}epochs/: C the teacher, D --data-name,\n"
               "P the public %, E the epochs. The rate falls linearly from --client-lr to 0.\n"
               "Where that folder was made with the same options nothing is done, else it is\n"
               "exit 2. A training that was cut goes on with the same command.\n",
       .trains = true,
       .run = pretrain_command},
      {.name = "sweep",
       .arguments = "FILE",
       .summary = "many runs from one file, tuned and repeated, into one table",
       .max_positionals = 1,
       .help_options = {"output", "table", "progress", "quiet", "workers"},
       .note = "FILE is TOML: options of run; [sweep] with lists of values, all combined;\n"
               "[[case]] tables of options that belong together; [tune] with lists to choose\n"
               "from on a slice of the training rows. Runs go to OUTPUT/NAME/ (--name, else\n"
               "FILE's), with table.md and table.csv. The same command again goes on where it\n"
               "was stopped. The manual is docs/sweep.md.\n",
       .run = sweep_command},
      {.name = "distill",
       .arguments = "",
       .summary = "one step of the server between two rounds: its teacher teaches",
       .help_groups = {"Distillation step", "Distillation", "Model and data", "LoRA"},
       .help_options = {"teacher-data-pct", "num-clients", "batch-size", "seed", "workers", "output", "profile",
                        "config"},
       .trains = true,
       .run = distill_command},
      {.name = "eval",
       .arguments = "",
       .summary = "scores a checkpoint, with or without an adapter, on a split",
       .help_groups = {"Model and data", "Scoring"},
       .help_options = {"batch-size", "workers", "device", "config"},
       .run = eval_command},
      {.name = "predict",
       .arguments = "[FILE]",
       .summary = "labels the lines of FILE or of standard input",
       .max_positionals = 1,
       .help_groups = {"Scoring"},
       .help_options = {"client-ckpt", "max-length", "batch-size", "workers", "device", "config"},
       .run = predict_command},
      {.name = "inspect",
       .arguments = "PATH",
       .summary = "what a checkpoint, adapter, data set or run is",
       .max_positionals = 1,
       .help_groups = {"LoRA"},
       .help_options = {"client-ckpt", "data-name", "json"},
       .run = inspect_command},
      {.name = "plan",
       .arguments = "",
       .summary = "bytes, memory and time of a run, before it starts",
       .help_options = {"scheme", "num-clients", "num-rounds", "fraction-fit", "client-ckpt", "teacher-ckpt",
                        "data-path", "data-name", "lora-r", "train-head", "batch-size", "client-epochs", "workers",
                        "json", "config"},
       .note = "Takes the options of fedtune run. Bytes are exact; time and memory come from a\n"
               "few real steps on the real batches, measured here and now. A teacher that is\n"
               "not at hand is left out and said. Nothing is written.\n",
       .run = plan_command},
      {.name = "tune",
       .arguments = "[FILE]",
       .summary = "measures the kernels of this processor, for --kernels and --dtype",
       .max_positionals = 1,
       .note = "Prints GF/s of one core for each set and shape of product. FILE, where given,\n"
               "becomes a configuration that names the fastest set, for --config. Sets round\n"
               "differently, so what a run uses is stored with it, a server says it to its\n"
               "clients, and --resume takes no other. Without it the widest set runs.\n",
       .run = tune_command},
      {.name = "report",
       .arguments = "RUN...",
       .summary = "one HTML page, and a CSV beside it, from one run or several",
       .max_positionals = 1000,
       .help_options = {"output"},
       .note = "RUN is a run's folder, or a sweep's, which stands for its runs without those\n"
               "that tune. Runs that differ in their seed alone become one line with a band.\n"
               "--output is the page, report.html by default. A run that has not finished is\n"
               "shown as far as it went.\n",
       .run = report_command},
  };
  return list;
}

std::span<const std::string_view> commands_left_out() {
#ifdef FEDTUNE_NET
  return {};
#else
  static constexpr std::array<std::string_view, 4> names{"server", "client", "drill", "keys"};
  return names;
#endif
}

}  // namespace fedtune::cli
