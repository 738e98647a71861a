// Precompiled once for every layer below the torch line: what nearly all of them include, and no more. A header adds
// its templates to each file's compile time even from here, so ATen's operators are included one by one where they are
// used.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
