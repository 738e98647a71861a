// For tests: a tokenizer's files, written and read.
#pragma once

#include <nlohmann/json.hpp>

#include "fedtune/base/temporary_folder.h"
#include "fedtune/text/tokenizer_files.h"

namespace fedtune::text {

// What a folder of this tokenizer.json and tokenizer_config.json is read as.
inline TokenizerParts parts_of(const nlohmann::json& tokenizer,
                               const nlohmann::json& config = nlohmann::json::object()) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", tokenizer.dump());
  folder.write("tokenizer_config.json", config.dump());
  return read_tokenizer_files(folder.path());
}

}  // namespace fedtune::text
