// A round's record as JSON and back, every number to its last bit.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "fedtune/fed/types.h"

namespace fedtune::fed {

// A number that is not finite becomes null, and NaN when it is read back.
nlohmann::ordered_json to_json(const RoundRecord& record);
// Throws Error(input) naming `context` and the key.
RoundRecord round_record_from(const nlohmann::json& json, const std::string& context);

}  // namespace fedtune::fed
