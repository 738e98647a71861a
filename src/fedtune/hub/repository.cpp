#include "fedtune/hub/repository.h"

#include <algorithm>

namespace fedtune::hub {

bool is_name(std::string_view part) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' &&
         std::ranges::all_of(part, allowed);
}

bool is_hub_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  return is_name(text.substr(0, slash)) && is_name(text.substr(slash + 1));
}

std::string Repository::kind() const {
  return type == RepoType::model ? "model" : "dataset";
}

std::string Repository::folder_name() const {
  std::string name = kind() + "s--";
  for (const char c : id) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

std::string Repository::api_path() const {
  return "/api/" + kind() + "s/" + id;
}

std::string Repository::page_path() const {
  return type == RepoType::model ? "/" + id : "/datasets/" + id;
}

}  // namespace fedtune::hub
