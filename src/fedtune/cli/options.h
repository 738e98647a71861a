// Everything a user can say, as plain structs. One line serves every command and every party of a federation.
//
// The names, units, limits and help of the fields are in option_table.cpp; sources of defaults that are not our own are
// named there too. A field left empty (std::optional) is decided by resolve() in resolve.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fedtune/base/log.h"
#include "fedtune/data/partition.h"
#include "fedtune/peft/lora_config.h"
#include "fedtune/train/distill_options.h"
#include "fedtune/worker/weight_by.h"

namespace fedtune::cli {

enum class Scheme { fedavg, fedlora, fedkdlora };
enum class DataType { fp32, bf16 };
enum class KernelSet { automatic, amx, avx512, avx2, portable };
enum class OnOff { off, on };
enum class Progress { automatic, bar, plain, none };
enum class Split { train, validation };

struct FederationOptions {
  Scheme scheme = Scheme::fedkdlora;
  int num_clients = 4;
  int num_rounds = 10;
  double fraction_fit = 1.0;  // share of the clients that train in a round, at least one
  worker::WeightBy weight_by = worker::WeightBy::batches;
  std::optional<double> max_client_weight;  // in the mean, of one client; default: no limit
};

struct ModelOptions {
  std::string client_ckpt = "distilbert-base-uncased";  // folder or hub id
  std::string teacher_ckpt = "bert-base-uncased";       // folder or hub id
};

struct DataOptions {
  std::string data_path = "glue";        // folder, or "glue" for the hub's
  std::string data_name = "cola";        // which task of GLUE, see data/glue.h
  std::int64_t max_train_sentences = 0;  // rows kept, before any split; 0 keeps all
  int tune_slice = 0;                    // per cent of them, the last, scored on instead of the validation file
  int max_length = 512;                  // tokens per sentence, special tokens included
};

struct ShareOptions {
  std::optional<int> teacher_data_pct;  // per cent of the training rows, in file order; default 100 / (clients + 1)
  std::optional<data::PartitionKind> partition;  // default percent, or rows beyond 100 - P clients
  double alpha = 0.5;                            // concentration of the Dirichlet distribution
  int min_share = 1;                             // sentences
};

struct LoraOptions {
  int r = 8;
  double alpha = 16.0;
  double dropout = 0.1;
  std::vector<std::string> target_modules;  // empty: query and value of every layer
  peft::TrainHead train_head = peft::TrainHead::full;
};

struct TrainingOptions {
  int batch_size = 32;  // sentences
  double client_lr = 5e-5;
  int client_epochs = 1;  // passes over the share per round
  std::uint64_t seed = 0;
  DataType dtype = DataType::fp32;           // of products with frozen weights
  KernelSet kernels = KernelSet::automatic;  // default: the widest the processor has; fedtune tune measures them
  std::string device = "cpu";                // cpu, cuda or cuda:N
  int threads = 1;                           // inside one client's arithmetic
  std::optional<int> workers;                // clients trained at once; default: cores
};

struct DistillOptions {
  int teacher_pretrain_epochs = 1;
  int kd_epochs = 1;
  double distill_lr = 5e-5;          // 0: the teacher is frozen
  std::optional<double> student_lr;  // in the joint phase; default: distill_lr
  train::KdLoss kd_loss = train::KdLoss::corrected;
  train::KdTerms kd_terms = train::KdTerms::all;
  double kd_temperature = 2.0;
  std::optional<OnOff> teacher_guard;  // default: on with the corrected loss
  std::int64_t save_steps = 200;       // of pretrain, between two checkpoints; 0: only when it is interrupted
};

// One step of the server on its own: fedtune distill.
struct DistillStepOptions {
  std::string state;     // folder that keeps the teacher between steps
  int round = 0;         // of the federation, from 1
  std::string adapters;  // PEFT folder: the averaged adapters
};

struct NetworkOptions {
  std::string address = "127.0.0.1:8080";
  int min_clients = 0;          // 0: all
  double round_timeout = 0.0;   // seconds; 0: none
  double wait = 0.0;            // seconds; 0: without end
  int max_connections = 10000;  // to a server at once
  int max_buffers = 512;        // MB for what is on its way from and to all clients
  double idle_timeout = 300.0;  // seconds, of a connection without a call; 0: none
  double send_timeout = 60.0;   // seconds in which a payload must move on by 64 kB; 0: none
  std::string server;
  std::string superlink;
  bool check = false;
  int rank = 0;
  std::string tls_ca, tls_cert, tls_key, tls_allow;
  bool insecure = false;
};

struct RunOptions {
  std::string output = "results";  // the root folder
  std::string name;                // default: date-time
  std::string resume;              // a run's folder, or its name under output
  std::string config;              // TOML file of options
  Progress progress = Progress::automatic;
  bool quiet = false;
  LogLevel log_level = LogLevel::info;
  bool profile = false;
  bool compare_central = false;
};

// What eval and predict look at.
struct ScoreOptions {
  std::string adapter;  // PEFT folder
  Split split = Split::validation;
  bool json = false;
  bool pairs = false;  // predict: two texts a line
};

struct SweepOptions {
  std::string table;  // where the table is also written: .md or .csv
};

struct DrillOptions {
  std::string faults;  // TOML file: what is done to the federation, and what is expected
};

struct Options {
  FederationOptions federation;
  ModelOptions models;
  DataOptions data;
  ShareOptions shares;
  LoraOptions lora;
  TrainingOptions training;
  DistillOptions distill;
  DistillStepOptions distill_step;
  NetworkOptions network;
  RunOptions run;
  ScoreOptions score;
  SweepOptions sweep;
  DrillOptions drill;
};

}  // namespace fedtune::cli
