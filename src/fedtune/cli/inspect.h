// What lies at a path, as facts: a name and a value each, in the order they are shown.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "fedtune/cli/options.h"

namespace fedtune::cli {

using Facts = nlohmann::ordered_json;

// Each throws Error(input) when what lies there is damaged.
Facts inspect_tensors(const std::filesystem::path& file);
Facts inspect_sentences(const std::filesystem::path& file);
Facts inspect_run(const std::filesystem::path& folder);
Facts inspect_adapter(const std::filesystem::path& folder);
// The bytes of a FedLoRA round are those of the LoRA options.
Facts inspect_checkpoint(const std::filesystem::path& folder, const Options& options);
Facts inspect_dataset(const std::filesystem::path& folder, const Options& options);

}  // namespace fedtune::cli
