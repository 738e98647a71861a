#include "fedtune/data/dataset.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/data/columns.h"
#include "fedtune/data/split.h"
#include "fedtune/data/table.h"
#include "fedtune/hub/repository.h"
#include "fedtune/hub/resolve.h"

namespace fedtune::data {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> formats{".tsv", ".csv", ".jsonl"};

struct GlueSet {
  std::string_view name, folder;
};
constexpr std::array<GlueSet, 2> glue_sets{{{"cola", "CoLA"}, {"sst2", "SST-2"}}};

// stem.tsv, stem.csv or stem.jsonl of a folder; an empty path where there is none.
fs::path find_table(const fs::path& folder, std::string_view stem) {
  fs::path found;
  for (const std::string_view format : formats) {
    const fs::path candidate = folder / (std::string(stem) + std::string(format));
    if (!fs::exists(candidate)) continue;
    if (!found.empty()) {
      throw input_error("{} holds both {} and {}; keep the one to be read", folder.string(), found.filename().string(),
                        candidate.filename().string());
    }
    found = candidate;
  }
  return found;
}

// The name of a parquet file of that split, if there is one.
std::string find_parquet(const fs::path& folder, std::string_view stem) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem) && name.ends_with(".parquet")) return name;
  }
  return {};
}

void refuse_parquet(const fs::path& folder, std::string_view stem) {
  const std::string name = find_parquet(folder, stem);
  if (name.empty()) return;
  throw input_error(
      "{}: this version reads .tsv, .csv and .jsonl, parquet comes with a later one; convert it with\n"
      "  python3 -c \"import pandas; pandas.read_parquet('{}').to_json('{}.jsonl', orient='records', lines=True)\"",
      (folder / name).string(), (folder / name).string(), (folder / stem).string());
}

fs::path training_file(const fs::path& folder) {
  fs::path file = find_table(folder, "train");
  if (!file.empty()) return file;
  refuse_parquet(folder, "train");
  throw input_error("{} holds no train.tsv, train.csv or train.jsonl", folder.string());
}

fs::path validation_file(const fs::path& folder, const fs::path& train) {
  for (const std::string_view stem : {"validation", "dev"}) {
    if (fs::path file = find_table(folder, stem); !file.empty()) return file;
  }
  refuse_parquet(folder, "validation");
  refuse_parquet(folder, "dev");
  throw input_error("{} holds {} but no validation.tsv, .csv or .jsonl, nor dev.*: a validation file is needed",
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

bool holds_split(const fs::path& folder, std::string_view stem) {
  return !find_table(folder, stem).empty() || !find_parquet(folder, stem).empty();
}

fs::path glue_folder(const fs::path& root, const std::string& name) {
  const bool is_root = std::any_of(glue_sets.begin(), glue_sets.end(),
                                   [&](const GlueSet& set) { return fs::is_directory(root / set.folder); });
  if (!is_root) {
    throw input_error(
        "{} is no data set: it holds neither train.tsv, train.csv or train.jsonl nor GLUE's folders CoLA/ and SST-2/",
        root.string());
  }
  for (const GlueSet& set : glue_sets) {
    if (set.name != name) continue;
    if (fs::is_directory(root / set.folder)) return root / set.folder;
    throw input_error("{} has no folder {}/, which --data-name {} asks for", root.string(), set.folder, name);
  }
  throw usage_error("--data-name {}: expected cola or sst2", name);
}

fs::path existing_folder(const DatasetOptions& options) {
  const fs::path path = options.path;
  if (fs::is_directory(path)) return path;
  if (fs::exists(path)) {
    throw input_error("--data-path {} is a file; expected the folder that holds train.* and validation.*",
                      options.path);
  }
  if (options.path == "glue" || (hub::is_hub_id(options.path) && options.path.find('/') != std::string::npos)) {
    return hub::resolve_dataset(options.path, {.subset = options.name, .insecure = options.insecure}).folder;
  }
  throw input_error("--data-path {}: no such folder", options.path);
}

}  // namespace

DatasetFiles find_dataset(const DatasetOptions& options) {
  const fs::path folder = existing_folder(options);
  const fs::path place = holds_split(folder, "train") ? folder : glue_folder(folder, options.name);
  const fs::path train = training_file(place);
  return {.train = train, .validation = options.held_out_percent != 0 ? train : validation_file(place, train)};
}

std::vector<Sentence> read_sentences(const fs::path& file, std::int64_t num_labels) {
  const LabelRules rules{.source = file.string(), .num_labels = num_labels};
  const std::string text = read_file(file);
  if (file.extension() == ".jsonl") return sentences_of(parse_jsonl(text, rules.source), rules);
  if (file.extension() == ".csv") return sentences_of(parse_csv(text, rules.source), rules);
  if (file.extension() == ".tsv") return sentences_of(parse_tsv(text, rules.source), rules);
  throw input_error("{}: expected a name that ends in .tsv, .csv or .jsonl", rules.source);
}

std::int64_t count_classes(const std::vector<Sentence>& sentences) {
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
