// Where a model computes.
#pragma once

#include <string>

#include <c10/core/Device.h>

#include "fedtune/cli/options.h"

namespace fedtune::cli {

// "cpu", "cuda" or "cuda:N". Throws Error(usage) for another text, and when this torch or this machine has no such
// device.
c10::Device device_named(const std::string& name);

// Sets up the kernels, the calling thread and the threads per client; the device that the options name. `options` are
// resolved. Errors as device_named.
c10::Device prepare_to_compute(const Options& options);

}  // namespace fedtune::cli
