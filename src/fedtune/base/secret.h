// What nobody can guess. Never for results: those draw from base/random.h.
#pragma once

#include <cstddef>
#include <string>

namespace fedtune {

// From OpenSSL's generator, seeded by the system. Throws Error(failed) where that fails.
std::string random_bytes(std::size_t count);

}  // namespace fedtune
