// What the system says about a file, as an error that tells what to do.
#pragma once

#include <filesystem>

#include "fedtune/base/error.h"

namespace fedtune {

// Error(failed): "writing PATH: No space left on device; free some space or ..."
Error write_error(const std::filesystem::path& path, int error_number);
// Error(input): "reading PATH: No such file or directory; ..."
Error read_error(const std::filesystem::path& path, int error_number);

}  // namespace fedtune
