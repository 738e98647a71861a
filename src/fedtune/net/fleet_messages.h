// What a SuperLink hands out. Included by the sources of net alone.
#pragma once

#include <optional>
#include <string>

#include "flwr/proto/fleet.pb.h"

#include "fedtune/format/named_tensors.h"

namespace fedtune::net::flower {

// A message that was pulled, and the id of its root object.
struct Pulled {
  ::flwr::proto::Message message{};
  std::string root{};
};
// Empty where there is none. Throws FleetError for a message without its objects.
std::optional<Pulled> first_message(const ::flwr::proto::PullMessagesResponse& answer);

// More than the .npy streams of a message to this layout can have together.
std::size_t most_array_bytes(const Layout& layout);

}  // namespace fedtune::net::flower
