#include "fedtune/hub/resolve.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"

namespace fedtune::hub {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::optional<std::filesystem::path> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// One part of a hub id: letters, digits, '-', '_', '.', not beginning with '.' or '-'.
bool is_name(std::string_view part) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' &&
         std::all_of(part.begin(), part.end(), allowed);
}

bool is_hub_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  return is_name(text.substr(0, slash)) && is_name(text.substr(slash + 1));
}

std::string kind(RepoType type) {
  return type == RepoType::model ? "model" : "dataset";
}

// "models--owner--name"
std::string cache_name(std::string_view id, RepoType type) {
  std::string name = kind(type) + "s--";
  for (const char c : id) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

std::string download_command(std::string_view id, RepoType type) {
  return fmt::format("hf download {}{}", id, type == RepoType::dataset ? " --repo-type dataset" : "");
}

std::string revision_of(const std::filesystem::path& repository) {
  std::string revision = read_file(repository / "refs" / "main");
  while (!revision.empty() && (revision.back() == '\n' || revision.back() == ' ')) revision.pop_back();
  if (!is_name(revision)) throw input_error("{}: not a commit; download it again", (repository / "refs/main").string());
  return revision;
}

Resolved resolve_hub_id(std::string_view id, RepoType type) {
  const std::filesystem::path repository = hub_cache_folder() / cache_name(id, type);
  if (!is_there(repository / "refs" / "main")) {
    throw input_error(
        "'{}' is no path that exists, so it was looked up as a {} of the Hugging Face hub; it is not in the cache "
        "({}). "
        "Download it with `{}`, or give a folder",
        id, kind(type), repository.string(), download_command(id, type));
  }
  const std::string revision = revision_of(repository);
  const std::filesystem::path snapshot = repository / "snapshots" / revision;
  if (!is_there(snapshot)) {
    throw input_error("'{}': the cache names the snapshot {}, which is missing ({}). Download it again with `{}`", id,
                      revision, snapshot.string(), download_command(id, type));
  }
  return {.folder = snapshot, .revision = revision};
}

}  // namespace

bool is_path(std::string_view text) {
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") || text.ends_with('/') ||
         std::count(text.begin(), text.end(), '/') >= 2 || (!text.empty() && is_there(text));
}

Resolved resolve_checkpoint(std::string_view text, RepoType type) {
  if (is_path(text)) {
    if (!is_there(text)) throw input_error("'{}' is a path and does not exist; check it", text);
    return {.folder = text, .revision = ""};
  }
  if (!is_hub_id(text)) {
    throw input_error("'{}' is neither a path that exists nor a hub id ('name' or 'owner/name')", text);
  }
  return resolve_hub_id(text, type);
}

std::filesystem::path hub_cache_folder() {
  if (const auto cache = environment("HF_HUB_CACHE")) return *cache;
  if (const auto home = environment("HF_HOME")) return *home / "hub";
  if (const auto cache = environment("XDG_CACHE_HOME")) return *cache / "huggingface" / "hub";
  return environment("HOME").value_or("/") / ".cache" / "huggingface" / "hub";
}

}  // namespace fedtune::hub
