// Downloads into the cache. A build without downloads (-DFEDTUNE_DOWNLOAD=OFF) refuses instead.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fedtune/hub/environment.h"
#include "fedtune/hub/repository.h"

namespace fedtune::hub {

struct FetchRequest {
  Repository repository{};
  // Which of the repository's files are needed. Throws Error(input) where it lacks one.
  std::function<std::vector<std::string>(std::span<const std::string> names)> choose;
  // Plain HTTP to another machine is refused unless this is set.
  bool insecure = false;
};

// Fetches what is chosen of the commit that `main` stands at, and the shards that an index names, into the cache;
// returns the commit. What is already there, whole or in part, is not fetched again. Safe beside other processes that
// do the same, huggingface_hub's among them.
//
// Throws Error(input): no such repository or file, no access to it. Error(network): the hub cannot be reached, goes on
// failing, or sends what has not the hash that it announced. Error(usage): plain HTTP that was not allowed.
// Error(failed): the disk. Interrupted.
std::string fetch(const Environment& environment, const FetchRequest& request);

}  // namespace fedtune::hub
