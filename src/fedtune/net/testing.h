// For tests: a server of a toy federation, and its run to the end.
#pragma once

#include <memory>
#include <utility>

#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/net/server.h"

namespace fedtune::net {

inline std::unique_ptr<Server> serve_toy(int clients) {
  return std::make_unique<Server>(ServerOptions{.address = "127.0.0.1:0", .clients = clients},
                                  Announcement{.run = "toy", .layout = fed::ToyStrategy().layout()});
}

inline fed::RunOutcome play_toy(Server& server, const fed::EngineOptions& rounds, fed::TransportOptions options = {}) {
  fed::ToyStrategy strategy;
  fed::BoardTransport transport(server.board(), std::move(options));
  fed::RunOutcome run = fed::Engine(rounds, {.strategy = strategy, .transport = transport}).run();
  server.finish(10.0);
  return run;
}

}  // namespace fedtune::net
