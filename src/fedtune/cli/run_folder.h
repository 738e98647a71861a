// A run's folder: where its files lie, and who may write there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "fedtune/base/folder_lock.h"

namespace fedtune::cli {

class RunFolder {
 public:
  // Creates `root`/`name` with its config.toml. Throws Error(usage) that names --resume when the name is used, or is no
  // plain name; Error(failed) when it cannot be written, and then leaves nothing behind.
  struct NewRun {
    std::filesystem::path root;
    std::string name;
    std::string config;  // the text of config.toml
  };
  static RunFolder create(const NewRun& run);
  // The same for a run that was given no name: where its own is used, or taken just then by another process, NAME-2,
  // NAME-3 and so on.
  static RunFolder create_beside(const NewRun& run);
  // An existing run: `run` is its folder, or its name under `root`. Throws Error(usage) when there is none, or when
  // another process is at work on it.
  static RunFolder open(const std::filesystem::path& root, const std::string& run);
  // Throws what create would throw for a name that is used or unusable; changes nothing.
  static void require_free(const std::filesystem::path& root, const std::string& name);
  // `name`, or where it is used the first free of name-2, name-3 and so on.
  static std::string free_name(const std::filesystem::path& root, const std::string& name);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path events() const { return path_ / "events.jsonl"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint"; }
  std::filesystem::path adapter() const { return path_ / "adapter"; }
  std::filesystem::path model() const { return path_ / "model"; }
  std::filesystem::path tensorboard() const { return path_ / "tensorboard"; }
  std::filesystem::path report() const { return path_ / "report.html"; }
  std::filesystem::path results() const { return path_ / "results.json"; }

 private:
  explicit RunFolder(std::filesystem::path path);

  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
};

}  // namespace fedtune::cli
