// A command line's arguments as a shell reads them back.
#pragma once

#include <string>

namespace fedtune::cli {

// `text` as one word, in quotes where it needs them.
std::string shell_word(const std::string& text);
// The same, but a "~/" at the front stays open, for the shell to put the home folder there.
std::string shell_path(const std::string& text);

}  // namespace fedtune::cli
