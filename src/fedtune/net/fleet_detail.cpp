#include "fedtune/net/fleet_detail.h"

#include <nlohmann/json.hpp>

namespace fedtune::net {

FleetDetail detail_in(const std::string& answer) {
  constexpr std::size_t most = std::size_t{1} << 20U;  // bytes; a word of explanation is shorter
  FleetDetail detail{.text = answer.substr(0, 200)};
  if (answer.size() > most) return detail;
  const nlohmann::json json = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) {
    if (json.contains("code") && json["code"].is_number_integer()) detail.code = json["code"].get<int>();
    // Over HTTP it is called "detail", over gRPC "public_message".
    for (const char* key : {"detail", "public_message"}) {
      if (json.contains(key) && json[key].is_string()) detail.text = json[key].get<std::string>();
    }
  }
  return detail;
}

}  // namespace fedtune::net
