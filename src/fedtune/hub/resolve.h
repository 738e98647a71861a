// From what a user types to a folder: a path, or a name on the Hugging Face hub that is in its cache or is fetched.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace fedtune::hub {

// Absolute, starting with "./" or "../", ending in "/", existing on disk, or with two slashes: a path. Otherwise a hub
// id.
bool is_path(std::string_view text);

struct Resolved {
  std::filesystem::path folder;
  std::string revision;  // commit of the snapshot, for a hub id
};

struct ResolveOptions {
  // Which configuration of a data set: the folder of its tables.
  std::string subset{};
  // --insecure: plain HTTP to a hub on another machine.
  bool insecure = false;
};

// A path as it is. A hub id ("name" or "owner/name") from the cache where its snapshot holds all that is needed; the
// network is asked only otherwise. Throws Error(input) for a path that does not exist, a text that is neither, a hub id
// that neither the cache nor the hub has whole, or that the cache has not when HF_HUB_OFFLINE is set; and what fetch()
// throws.
Resolved resolve_checkpoint(std::string_view text, const ResolveOptions& options = {});
// The same for a data set. The folder is that of its tables.
Resolved resolve_dataset(std::string_view text, const ResolveOptions& options);

}  // namespace fedtune::hub
