// How much memory the process has used.
#pragma once

#include <cstdint>

namespace fedtune {

// The largest resident set so far, in bytes.
std::int64_t peak_rss_bytes();

}  // namespace fedtune
