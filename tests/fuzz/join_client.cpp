// A message of a server of Flower's as our client handles it.
#include "wire_layout.h"

#include "fedtune/net/flower.h"

FEDTUNE_FUZZ_TARGET(join_client) {
  using namespace fedtune;
  net::flower::proto::ServerMessage message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  const Layout layout = fuzz::wire_layout();
  const auto& parameters = message.has_fit_ins() ? message.fit_ins().parameters() : message.evaluate_ins().parameters();
  static_cast<void>(net::flower::round_in(message.fit_ins().config()));
  const auto global =
      fuzz::accepted([&] { return fed::tensors_in(layout, net::flower::payload_from(parameters, layout)); });
  fuzz::require(!global || layout_of(*global) == layout, "what is trained on has the layout's form");
  return 0;
}
