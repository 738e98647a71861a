// What the environment says about the hub: the variables that huggingface_hub reads, with its meanings.
#pragma once

#include <filesystem>
#include <string>

namespace fedtune::hub {

struct Environment {
  // HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub.
  std::filesystem::path cache{};
  // HF_ENDPOINT without '/' at its end, else https://huggingface.co.
  std::string endpoint{};
  // HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH, else HF_HOME/token; white space around it is
  // dropped. Empty: none. HF_HUB_DISABLE_IMPLICIT_TOKEN=1 leaves it out.
  std::string token{};
  // HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is 1, on, yes or true: nothing is asked of the network.
  bool offline = false;
  // HF_HUB_DOWNLOAD_TIMEOUT: seconds to connect, and seconds in which nothing arrives, after which a transfer is given
  // up.
  long timeout_seconds = 30;
};

// Throws Error(usage) for a token or a timeout that cannot be one, Error(input) where the token's file cannot be read.
Environment read_environment();

}  // namespace fedtune::hub
