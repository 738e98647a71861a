#include "fedtune/hub/resolve.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/hub/cache.h"
#include "fedtune/hub/environment.h"
#include "fedtune/hub/fetch.h"
#include "fedtune/hub/needed_files.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;
using Names = std::span<const std::string>;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// What one kind of repository needs.
struct Needs {
  std::function<std::vector<std::string>(Names)> choose;
  std::function<std::string(Names)> missing;  // of all names of a repository
};

Needs needs_of_model() {
  return {.choose = needed_of_model, .missing = missing_of_model};
}

Needs needs_of_dataset(const std::string& subset) {
  return {.choose = [=](Names names) { return needed_of_dataset(names, subset); },
          .missing = [=](Names names) { return missing_of_dataset(names, subset); }};
}

// What a snapshot lacks; empty where nothing is.
std::string missing_of_snapshot(const fs::path& snapshot, Names names, const Needs& needs) {
  if (std::string missing = needs.missing(names); !missing.empty()) return missing;
  for (const std::string& name : needs.choose(names)) {
    if (!name.ends_with(".index.json")) continue;
    for (const std::string& shard : shards_of_index(read_file(snapshot / name), (snapshot / name).string())) {
      if (std::ranges::find(names, shard) == names.end()) return "the shard " + shard;
    }
  }
  return "";
}

Error not_cached(const Repository& repository, const RepositoryCache& cache, const std::string& missing) {
  return input_error(
      "'{}' is no path that exists, so it was looked up as a {} of the Hugging Face hub; {} ({}), and HF_HUB_OFFLINE "
      "forbids to fetch it. Unset that, run `hf download {}{}` where there is a network, or give a folder",
      repository.id, repository.kind(), missing.empty() ? "it is not in the cache" : "its snapshot lacks " + missing,
      cache.folder().string(), repository.id, repository.type == RepoType::dataset ? " --repo-type dataset" : "");
}

Resolved resolve_hub_id(const Repository& repository, const Needs& needs, const ResolveOptions& options) {
  const Environment environment = read_environment();
  const RepositoryCache cache(environment.cache, repository);
  std::string missing;
  if (const std::optional<std::string> commit = cache.commit()) {
    const fs::path snapshot = cache.snapshot(*commit);
    missing = missing_of_snapshot(snapshot, cache.files(*commit), needs);
    if (missing.empty()) return {.folder = snapshot, .revision = *commit};
  }
  if (environment.offline) throw not_cached(repository, cache, missing);
  const auto choose = [&](Names names) {
    if (const std::string lacking = needs.missing(names); !lacking.empty()) {
      throw input_error("the {} '{}' of {} lacks {}; choose another, or give a folder", repository.kind(),
                        repository.id, environment.endpoint, lacking);
    }
    return needs.choose(names);
  };
  const std::string commit =
      fetch(environment, {.repository = repository, .choose = choose, .insecure = options.insecure});
  return {.folder = cache.snapshot(commit), .revision = commit};
}

void require_path_or_id(std::string_view text) {
  if (is_path(text)) {
    if (!is_there(text)) throw input_error("'{}' is a path and does not exist; check it", text);
  } else if (!is_hub_id(text)) {
    throw input_error("'{}' is neither a path that exists nor a hub id ('name' or 'owner/name')", text);
  }
}

}  // namespace

bool is_path(std::string_view text) {
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || text.ends_with('/') ||
         std::count(text.begin(), text.end(), '/') >= 2 || (!text.empty() && is_there(text));
}

Resolved resolve_checkpoint(std::string_view text, const ResolveOptions& options) {
  require_path_or_id(text);
  if (is_path(text)) return {.folder = text, .revision = ""};
  return resolve_hub_id({.type = RepoType::model, .id = std::string(text)}, needs_of_model(), options);
}

Resolved resolve_dataset(std::string_view text, const ResolveOptions& options) {
  require_path_or_id(text);
  if (is_path(text)) return {.folder = text, .revision = ""};
  const Repository repository{.type = RepoType::dataset, .id = std::string(text)};
  Resolved resolved = resolve_hub_id(repository, needs_of_dataset(options.subset), options);
  const RepositoryCache cache(read_environment().cache, repository);
  const std::string table = needed_of_dataset(cache.files(resolved.revision), options.subset).front();
  resolved.folder = (resolved.folder / table).parent_path();
  return resolved;
}

}  // namespace fedtune::hub
