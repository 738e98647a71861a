// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fedtune {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) from `found`; the first of equals.
// Empty when none is close: at most a third of the longer name, and at least one edit, may differ.
std::string nearest_name(std::string_view found, std::span<const std::string> candidates);

}  // namespace fedtune
