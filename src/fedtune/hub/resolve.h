// From what a user types to a folder: a path, or a name on the Hugging Face hub that is in its cache.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::hub {

enum class RepoType { model, dataset };

// Absolute, starting with "./" or "../", ending in "/", existing on disk, or with two slashes: a path. Otherwise a hub
// id.
bool is_path(std::string_view text);

struct Resolved {
  std::filesystem::path folder;
  std::string revision;  // commit of the snapshot, for a hub id
};

// Throws Error(input) for a path that does not exist, a text that is neither path nor hub id ("name" or "owner/name"),
// and a hub id that is not in the cache: where it was looked for and what to do.
Resolved resolve_checkpoint(std::string_view text, RepoType type = RepoType::model);

// HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub.
std::filesystem::path hub_cache_folder();

}  // namespace fedtune::hub
