// How much memory the process has used.
#pragma once

#include <cstdint>

namespace fedtune {

// The largest resident set so far, in bytes.
std::int64_t peak_rss_bytes();

// From now on freed memory stays with the process. A training step frees all that it has computed and the next one asks
// for as much again; giving it back in between costs 1 to 2 % of the time. Does nothing where malloc is not glibc's.
void keep_freed_memory();

// Gives the pages that freed memory lies in back to the system, those that are kept included: 0.1 ms for a small model,
// and a page fault for each that is used again. Does nothing where malloc is not glibc's.
void give_back_freed_memory();

}  // namespace fedtune
