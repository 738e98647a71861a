#include "fedtune/net/fleet_messages.h"

#include "fedtune/fed/payload.h"
#include "fedtune/format/npy.h"
#include "fedtune/net/fleet.h"

namespace fedtune::net::flower {

std::optional<Pulled> first_message(const ::flwr::proto::PullMessagesResponse& answer) {
  if (answer.messages_list_size() == 0) return std::nullopt;
  if (answer.message_object_trees_size() == 0) throw FleetError(200, 0, "pull-messages: a message without its objects");
  return Pulled{.message = answer.messages_list(0), .root = answer.message_object_trees(0).object_id()};
}

std::size_t most_array_bytes(const Layout& layout) {
  constexpr std::size_t longest_head = longest_npy_header + 100;
  return fed::payload_size(layout) + layout.size() * longest_head;
}

}  // namespace fedtune::net::flower
