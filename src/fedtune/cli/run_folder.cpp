#include "fedtune/cli/run_folder.h"

#include <utility>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"

namespace fedtune::cli {

namespace fs = std::filesystem;

namespace {

// A folder of a run that was killed before it had written anything.
bool is_abandoned(const fs::path& folder) {
  if (!fs::is_directory(folder)) return false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!is_temporary(entry.path())) return false;
  }
  return true;
}

bool is_used(const fs::path& root, const std::string& name) {
  const fs::path path = root / name;
  return (fs::exists(path) && !is_abandoned(path)) || fs::exists(path.string() + ".json");
}

// NAME, NAME-2, NAME-3 and so on.
std::string numbered(const std::string& name, int number) {
  return number == 1 ? name : fmt::format("{}-{}", name, number);
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)) {}

void RunFolder::require_free(const fs::path& root, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw usage_error("--name: '{}' cannot name a folder; give a name without '/', and the place with --output", name);
  }
  if (is_used(root, name)) {
    const fs::path path = root / name;
    throw usage_error("the name '{}' is already used ({}); give another --name, or go on with --resume {}", name,
                      path.string(), path.string());
  }
}

std::string RunFolder::free_name(const fs::path& root, const std::string& name) {
  int number = 1;
  while (is_used(root, numbered(name, number))) ++number;
  return numbered(name, number);
}

RunFolder RunFolder::create(const NewRun& run) {
  require_free(run.root, run.name);
  create_folders(run.root / run.name);
  RunFolder folder(run.root / run.name);
  folder.lock_.emplace(folder.path());
  require_free(run.root, run.name);  // now that it is nobody else's
  try {
    remove_temporary_files(folder.path());
    write_file_atomically(folder.config(), run.config);
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove(folder.path(), ignored);
    throw;
  }
  return folder;
}

RunFolder RunFolder::create_beside(const NewRun& run) {
  for (int number = 1;; ++number) {
    try {
      return create({.root = run.root, .name = numbered(run.name, number), .config = run.config});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
    }
  }
}

RunFolder RunFolder::open(const fs::path& root, const std::string& run) {
  for (const fs::path& path : {fs::path(run), root / run}) {
    if (!fs::is_regular_file(path / "config.toml")) continue;
    RunFolder folder(path.has_filename() ? path : path.parent_path());
    folder.lock_.emplace(folder.path());
    return folder;
  }
  throw usage_error("--resume {}: no run there (a run's folder holds config.toml); give the folder of a run", run);
}

}  // namespace fedtune::cli
