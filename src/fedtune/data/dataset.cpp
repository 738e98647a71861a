#include "fedtune/data/dataset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/data/columns.h"
#include "fedtune/data/glue.h"
#include "fedtune/data/parquet.h"
#include "fedtune/data/split.h"
#include "fedtune/data/table.h"
#include "fedtune/hub/repository.h"
#include "fedtune/hub/resolve.h"

namespace fedtune::data {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> formats{".tsv", ".csv", ".jsonl", ".parquet"};
// In the name of the first of a table's parts, before their number.
constexpr std::string_view first_part_mark = "-00000-of-";

// stem.tsv, .csv, .jsonl or .parquet of a folder, or the first part of stem-*.parquet; an empty path where there is
// none.
fs::path find_table(const fs::path& folder, std::string_view stem) {
  std::vector<fs::path> found;
  for (const std::string_view format : formats) {
    const fs::path candidate = folder / (std::string(stem) + std::string(format));
    if (fs::exists(candidate)) found.push_back(candidate);
  }
  const std::string first_part = fmt::format("{}{}", stem, first_part_mark);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(first_part) && name.ends_with(".parquet")) found.push_back(entry.path());
  }
  if (found.size() > 1) {
    throw input_error("{} holds both {} and {}; keep the one to be read", folder.string(), found[0].filename().string(),
                      found[1].filename().string());
  }
  return found.empty() ? fs::path() : found.front();
}

// How many files stand for a table: three with train-00000-of-00003.parquet.
int count_parts(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t at = name.rfind(first_part_mark);
  int count = 1;
  if (at == std::string::npos) return count;
  std::from_chars(name.data() + at + first_part_mark.size(), name.data() + name.size(), count);
  return count;
}

// The i-th of several.
fs::path part_of(const fs::path& file, int i) {
  std::string name = file.filename().string();
  name.replace(name.rfind(first_part_mark), first_part_mark.size(), fmt::format("-{:05}-of-", i));
  return file.parent_path() / name;
}

fs::path training_file(const fs::path& folder) {
  fs::path file = find_table(folder, "train");
  if (!file.empty()) return file;
  throw input_error("{} holds no train.tsv, .csv, .jsonl or .parquet", folder.string());
}

fs::path validation_file(const fs::path& folder, const fs::path& train, const std::string& name) {
  const GlueTask* task = find_glue_task(name);
  for (const std::string_view stem : (task ? *task : glue_task("mnli")).validation) {
    if (fs::path file = find_table(folder, stem); !file.empty()) return file;
  }
  throw input_error(
      "{} holds {} but no validation.tsv, .csv, .jsonl or .parquet, nor dev.*: a validation file is needed",
      folder.string(), train.filename().string());
}

// Moves the last rows of the training set to the validation set.
void hold_out(Dataset& dataset, int percent) {
  if (percent < 0 || percent > 99) throw usage_error("--tune-slice {}: expected 0 .. 99", percent);
  const std::size_t rows = dataset.train.size();
  const std::int64_t kept = percent_to_row(100 - percent, static_cast<std::int64_t>(rows));
  const auto first = dataset.train.begin() + kept;
  dataset.validation.assign(std::make_move_iterator(first), std::make_move_iterator(dataset.train.end()));
  dataset.train.erase(first, dataset.train.end());
  if (dataset.train.empty() || dataset.validation.empty()) {
    throw input_error("{}: --tune-slice {} leaves {} of {} sentences to train on, and both parts need some",
                      dataset.files.train.string(), percent, dataset.train.size(), rows);
  }
}

// The task's folder, as GLUE's archive names it or as the hub does; empty where there is neither.
fs::path task_folder(const fs::path& root, const GlueTask& task) {
  for (const std::string_view name : {task.folder, task.subset}) {
    if (fs::is_directory(root / name)) return root / name;
  }
  return {};
}

fs::path glue_folder(const fs::path& root, const std::string& name) {
  const auto tasks = glue_tasks();
  const bool is_root =
      std::ranges::any_of(tasks, [&](const GlueTask& task) { return !task_folder(root, task).empty(); });
  if (!is_root) {
    throw input_error(
        "{} is no data set: it holds neither train.tsv, .csv, .jsonl or .parquet nor GLUE's folders such as CoLA/",
        root.string());
  }
  const GlueTask& task = glue_task(name);
  if (fs::path folder = task_folder(root, task); !folder.empty()) return folder;
  throw input_error("{} has no folder {}/, which --data-name {} asks for", root.string(), task.folder, name);
}

std::string subset_of(const std::string& name) {
  const GlueTask* task = find_glue_task(name);
  return task ? std::string(task->subset) : name;
}

fs::path existing_folder(const DatasetOptions& options) {
  fs::path path = options.path;
  if (fs::is_directory(path)) return path;
  if (fs::exists(path)) {
    throw input_error("--data-path {} is a file; expected the folder that holds train.* and validation.*",
                      options.path);
  }
  if (options.path == "glue" || (hub::is_hub_id(options.path) && options.path.find('/') != std::string::npos)) {
    return hub::resolve_dataset(options.path, {.subset = subset_of(options.name), .insecure = options.insecure}).folder;
  }
  throw input_error("--data-path {}: no such folder", options.path);
}

Sentences read_part(const fs::path& file, std::int64_t num_labels) {
  LabelRules rules{.source = file.string(), .num_labels = num_labels};
  if (file.extension() == ".parquet") {
    rules.unit = "row";
    return sentences_of(parquet_rows(file, known_columns()), rules);
  }
  const std::string text = read_file(file);
  if (file.extension() == ".jsonl") return sentences_of(jsonl_rows(text, rules.source), rules);
  if (file.extension() == ".csv") return sentences_of(csv_rows(text, rules.source), rules);
  if (file.extension() == ".tsv") return sentences_of(tsv_rows(text, rules.source), rules);
  throw input_error("{}: expected a name that ends in .tsv, .csv, .jsonl or .parquet", rules.source);
}

}  // namespace

DatasetFiles find_dataset(const DatasetOptions& options) {
  const fs::path folder = existing_folder(options);
  const fs::path place = find_table(folder, "train").empty() ? glue_folder(folder, options.name) : folder;
  const fs::path train = training_file(place);
  return {.train = train,
          .validation = options.held_out_percent != 0 ? train : validation_file(place, train, options.name)};
}

Sentences read_sentences(const fs::path& file, std::int64_t num_labels) {
  Sentences all = read_part(file, num_labels);
  const int parts = count_parts(file);
  for (int i = 1; i < parts; ++i) {
    Sentences sentences = read_part(part_of(file, i), num_labels);
    std::ranges::move(sentences, std::back_inserter(all));
  }
  return all;
}

std::int64_t count_classes(const Sentences& sentences) {
  std::int64_t classes = 2;
  for (const Sentence& sentence : sentences) classes = std::max<std::int64_t>(classes, sentence.label + 1);
  return classes;
}

Dataset load_dataset(const DatasetOptions& options) {
  if (options.max_train_sentences && *options.max_train_sentences < 1) {
    throw usage_error("--max-train-sentences {}: expected 1 or more", *options.max_train_sentences);
  }
  Dataset dataset;
  dataset.files = find_dataset(options);
  dataset.train = read_sentences(dataset.files.train, options.num_labels);
  dataset.num_labels = options.num_labels > 0 ? options.num_labels : count_classes(dataset.train);
  const auto most = static_cast<std::uint64_t>(options.max_train_sentences.value_or(dataset.train.size()));
  if (most < dataset.train.size()) dataset.train.resize(most);
  if (options.held_out_percent != 0) {
    hold_out(dataset, options.held_out_percent);
  } else {
    dataset.validation = read_sentences(dataset.files.validation, dataset.num_labels);
  }
  return dataset;
}

}  // namespace fedtune::data
