// A teacher's fine-tuning on the public share: what it is made of, what it is called, and the training itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fedtune/cli/options.h"
#include "fedtune/data/batch.h"
#include "fedtune/models/checkpoint.h"
#include "fedtune/text/tokenizer.h"
#include "fedtune/train/trainer.h"

namespace fedtune::cli {

struct Pretraining {
  models::SequenceClassifier teacher;  // every tensor needs its gradient; on the device asked for
  text::Tokenizer tokenizer;
  std::vector<data::Example> public_share;
  std::vector<data::Example> validation;
  std::string checkpoint_sha256{};  // of the weights it starts from
  // What the user should be told, one sentence each.
  std::vector<std::string> notes{};
};

// Fills the options that depend on others. Throws Error(usage) for what leaves nothing to train on or nothing to do,
// and what resolve_for_run throws for the places that are named.
Options resolve_for_pretraining(Options options);

// `options` are resolved. Throws Error(usage), Error(input).
Pretraining load_pretraining(const Options& options);

// "bert-base-uncased_cola_20pct_1epochs": the last component of a local folder, or the hub id with '-' for '/'.
std::string pretraining_name(const Options& options);

// The options that decide what comes out, as TOML: equal texts, equal bits.
std::string pretraining_text(const Options& options);
// "--seed 1 (there 0)" for each of those that differs; empty where none does.
std::string pretraining_differences(const Options& asked, const Options& there);

// Who listens to the training.
struct PretrainingWatch {
  std::function<void(std::int64_t steps)> on_resume;  // once, where it goes on after so many steps
  std::function<void(std::int64_t step, double loss)> on_step;
  std::function<void(int epoch)> on_epoch;  // from 0, once it is done
};

// All epochs at --client-lr with linear decay, dropout on; with the bits of a training that nothing disturbed.
// `checkpoint` is a folder in which the state is kept every --save-steps and when it is interrupted, and from which it
// goes on; the caller removes it once the teacher is saved. Throws Interrupted, and what train::train and RoundStore
// throw.
void pretrain(Pretraining& pretraining, const Options& options, const std::filesystem::path& checkpoint,
              const PretrainingWatch& watch);

}  // namespace fedtune::cli
