// A repository of the Hugging Face hub, and what is called by its name.
#pragma once

#include <string>
#include <string_view>

namespace fedtune::hub {

enum class RepoType { model, dataset };

// "name" or "owner/name": letters, digits, '-', '_', '.' in each part, neither '.' nor '-' first, at most 96 of them.
bool is_hub_id(std::string_view text);
// The same rule for one part, which commits, branches and ETags follow too: safe as the name of a file.
bool is_name(std::string_view part);

struct Repository {
  RepoType type = RepoType::model;
  std::string id{};  // a hub id

  // "model", "dataset"
  std::string kind() const;
  // Its folder in the cache: "models--owner--name".
  std::string folder_name() const;
  // "/api/models/owner/name"
  std::string api_path() const;
  // "/owner/name", "/datasets/owner/name": where its page is, and /resolve/ below it its files.
  std::string page_path() const;
};

}  // namespace fedtune::hub
