// Which files of a repository are used: a repository may hold the same weights five times over, and pickles.
//
// Names are as the hub lists them: "config.json", "cola/train-00000-of-00001.parquet".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::hub {

// The shards that a model.safetensors.index.json names, sorted. Throws Error(input) for one that is not
// a safetensors file beside the index.
std::vector<std::string> shards_of_index(std::string_view index, const std::string& source);

// Of a model: its config, its tokenizer's files, model.safetensors or else the index (whose shards it names).
std::vector<std::string> needed_of_model(std::span<const std::string> names);

// Of a data set: the training and validation tables of `subset`: parquet files of the folder by that name, or else of
// data/ or of the top; where there are none, those in .jsonl, .csv or .tsv.
std::vector<std::string> needed_of_dataset(std::span<const std::string> names, std::string_view subset);

// What is missing in a list of names before it can be used, as the rest of a sentence; empty where nothing is. Shards
// are not looked at.
std::string missing_of_model(std::span<const std::string> names);
std::string missing_of_dataset(std::span<const std::string> names, std::string_view subset);

}  // namespace fedtune::hub
