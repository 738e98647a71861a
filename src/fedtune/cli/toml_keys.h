#pragma once

#include <string_view>

namespace fedtune::cli {

// The parts of the longest key of a TOML text, written with dots: 3 of `a.b.c = 1`. Each part is a table within the one
// before it, and toml++ takes tables apart by recursion, so that a key of many parts would overflow the stack.
int longest_key(std::string_view toml);

}  // namespace fedtune::cli
