// Paths as they stand in what people pass on: results, events, reports and the commands in them.
#pragma once

#include <string>

namespace fedtune::cli {

struct Surroundings {
  std::string folder;  // where the program was started
  std::string home;    // empty where nobody says
};
Surroundings surroundings();

// An absolute path below the folder is given from there ("examples/opinions", "./opinions": one name alone could be a
// hub id), below the home folder with '~', else as it is. Any other text is returned unchanged. The command line takes
// the result back in the same folder, '~' being the shell's.
std::string shown_path(const std::string& text, const Surroundings& around);

// The base model as an adapter names it: from the folder, else in full, since peft opens no '~'.
std::string shown_base(const std::string& client_ckpt);

}  // namespace fedtune::cli
