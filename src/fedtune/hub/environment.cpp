#include "fedtune/hub/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// huggingface_hub's own list of what means yes.
bool is_set(const char* name) {
  std::string value = variable(name).value_or("");
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

// HF_HOME: everything of Hugging Face's libraries, the cache of models among it.
fs::path home() {
  if (const auto folder = variable("HF_HOME")) return *folder;
  if (const auto cache = variable("XDG_CACHE_HOME")) return fs::path(*cache) / "huggingface";
  return fs::path(variable("HOME").value_or("/")) / ".cache" / "huggingface";
}

fs::path cache_folder() {
  if (const auto cache = variable("HF_HUB_CACHE")) return *cache;
  return home() / "hub";
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(space) - first + 1));
}

// A token goes into a header, which a line end in it would split.
std::string checked_token(const std::string& text, const std::string& source) {
  std::string token = trimmed(text);
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) {
    throw usage_error("{}: a hub token is one word of printable ASCII, and this holds other characters", source);
  }
  return token;
}

std::string read_token() {
  if (is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return "";
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (const auto token = variable(name)) return checked_token(*token, name);
  }
  const auto named = variable("HF_TOKEN_PATH");
  const fs::path file = named ? fs::path(*named) : home() / "token";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return "";
  return checked_token(read_file(file), file.string());
}

long read_timeout(long fallback) {
  const auto text = variable("HF_HUB_DOWNLOAD_TIMEOUT");
  if (!text) return fallback;
  long seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() || seconds < 1) {
    throw usage_error("HF_HUB_DOWNLOAD_TIMEOUT: found '{}', expected whole seconds, 1 or more", *text);
  }
  return seconds;
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.cache = cache_folder();
  environment.endpoint = variable("HF_ENDPOINT").value_or("https://huggingface.co");
  while (environment.endpoint.ends_with('/')) environment.endpoint.pop_back();
  environment.token = read_token();
  environment.offline = is_set("HF_HUB_OFFLINE") || is_set("TRANSFORMERS_OFFLINE");
  environment.timeout_seconds = read_timeout(environment.timeout_seconds);
  return environment;
}

}  // namespace fedtune::hub
