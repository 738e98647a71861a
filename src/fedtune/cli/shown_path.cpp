#include "fedtune/cli/shown_path.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace fedtune::cli {
namespace {

// What of `path` lies below `folder`; the root contains everything and shortens nothing.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  if (folder.empty() || !path.starts_with(folder)) return std::nullopt;
  path.remove_prefix(folder.size());
  if (path.empty()) return path;
  if (!path.starts_with('/')) return std::nullopt;
  return path.substr(1);
}

}  // namespace

Surroundings surroundings() {
  std::error_code removed;  // the folder may be gone
  const char* home = std::getenv("HOME");
  return {.folder = std::filesystem::current_path(removed).string(), .home = home == nullptr ? "" : home};
}

std::string shown_path(const std::string& text, const Surroundings& around) {
  if (!text.starts_with('/')) return text;
  if (const auto rest = below(text, around.folder)) {
    if (rest->empty()) return ".";
    const bool plain = rest->find('/') != std::string_view::npos && !rest->starts_with('~') && !rest->starts_with('-');
    return (plain ? "" : "./") + std::string(*rest);
  }
  if (const auto rest = below(text, around.home)) return rest->empty() ? "~" : "~/" + std::string(*rest);
  return text;
}

std::string shown_base(const std::string& client_ckpt) {
  return shown_path(client_ckpt, {.folder = surroundings().folder, .home = ""});
}

}  // namespace fedtune::cli
