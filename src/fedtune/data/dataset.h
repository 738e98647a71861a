// A data set of labelled sentences: which files it is made of, and what they hold.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>

namespace fedtune::data {

// One row of a data file. Texts are kept as they stand there, trailing spaces included.
struct Sentence {
  std::string text;
  std::int32_t label = 0;
  // The other text, in a task about pairs.
  std::optional<std::string> second = {};
};

// A table's rows, in order: in many small allocations, since one for all would be many times the file where texts are
// of a few letters (docs/reliability.md).
using Sentences = std::deque<Sentence>;

struct DatasetOptions {
  // A folder, or a hub id: `glue`, or any with its owner (`nyu-mll/glue`).
  std::string path = "glue";
  // Which data set of a GLUE root or of the hub: see glue.h. Where the folder itself holds train.*, only
  // "mnli_mismatched" has a meaning: the validation file.
  std::string name = "cola";
  // Keep only the first rows of the training file.
  std::optional<std::int64_t> max_train_sentences = {};
  // Per cent of those rows, the last, that take the place of the validation set, to tune on: 0 .. 99. Above 0 the
  // validation file is not opened and need not exist.
  int held_out_percent = 0;
  // Classes of the task; 0 derives them from the training labels (largest label + 1, at least 2).
  std::int64_t num_labels = 0;
  // --insecure: plain HTTP to a hub on another machine.
  bool insecure = false;
};

struct DatasetFiles {
  // train.{tsv,csv,jsonl,parquet}, or train-00000-of-0000N.parquet, which stands for all N.
  std::filesystem::path train;
  // validation.*, else dev.*, likewise; the training file where a part of it is held out.
  std::filesystem::path validation;
};

struct Dataset {
  Sentences train;
  Sentences validation;
  std::int64_t num_labels = 2;
  DatasetFiles files;
};

// Finds the files without reading them. Throws Error(input) for a missing folder or file, a format that is not read, or
// two training files; Error(usage) for a name that a GLUE root cannot hold.
DatasetFiles find_dataset(const DatasetOptions& options);

// Reads both files. Throws Error(input) naming file and line for what is not UTF-8, a wrong number of columns, or a
// label that is not an integer in 0 .. num_labels - 1 (nor one of GLUE's words for one); also for an empty file.
Dataset load_dataset(const DatasetOptions& options);

// Reads one labelled file, and the parts that follow it; num_labels = 0 accepts any label from 0. Errors as
// load_dataset.
Sentences read_sentences(const std::filesystem::path& file, std::int64_t num_labels);

// max(label) + 1, at least 2.
std::int64_t count_classes(const Sentences& sentences);

}  // namespace fedtune::data
