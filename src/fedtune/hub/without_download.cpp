// Stands in for download/ in a build without it.
#include "fedtune/base/error.h"
#include "fedtune/hub/fetch.h"

namespace fedtune::hub {

std::string fetch(const Environment& environment, const FetchRequest& request) {
  throw input_error(
      "'{}' is not in the Hugging Face cache ({}), and this build opens no connection (FEDTUNE_DOWNLOAD is off): fetch "
      "it with `hf download {}{}`, or give a folder",
      request.repository.id, environment.cache.string(), request.repository.id,
      request.repository.type == RepoType::dataset ? " --repo-type dataset" : "");
}

}  // namespace fedtune::hub
