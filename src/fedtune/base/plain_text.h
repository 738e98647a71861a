// The words of others, fit for logs, records and messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fedtune {

// The text as valid UTF-8 on one line: a byte that is none becomes U+FFFD, a control character a blank, and what is
// longer than `longest` bytes ends in "...".
std::string plain_text(std::string_view text, std::size_t longest = 1000);

}  // namespace fedtune
