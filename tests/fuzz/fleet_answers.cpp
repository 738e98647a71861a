// Answers of a SuperLink to a node's calls. Parts: `pull` a PullMessagesResponse, `push` a PushMessagesResponse,
// `detail` the body of a refusal.
#include "support.h"

#include "fedtune/net/fleet.h"
#include "fedtune/net/fleet_detail.h"
#include "fedtune/net/fleet_messages.h"

FEDTUNE_FUZZ_TARGET(fleet_answers) {
  using namespace fedtune;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    const std::string content(part.content);
    if (part.name == "pull") {
      ::flwr::proto::PullMessagesResponse answer;
      if (!answer.ParseFromString(content)) continue;
      try {
        static_cast<void>(net::flower::first_message(answer));
      } catch (const net::FleetError&) {  // what the node drops
      }
    }
    if (part.name == "push") ::flwr::proto::PushMessagesResponse().ParseFromString(content);
    if (part.name == "detail") static_cast<void>(net::detail_in(content));
  }
  return 0;
}
