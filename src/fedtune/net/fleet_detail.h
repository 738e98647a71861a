#pragma once

#include <string>

namespace fedtune::net {

// What a SuperLink's refusal says: JSON with a code and a detail, or something else.
struct FleetDetail {
  int code = 0;
  std::string text{};
};
FleetDetail detail_in(const std::string& answer);

}  // namespace fedtune::net
