// A run from its command line to its results, wherever its clients are.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "fedtune/cli/command_line.h"
#include "fedtune/cli/federation.h"
#include "fedtune/cli/run_folder.h"
#include "fedtune/cli/run_watch.h"
#include "fedtune/fed/transport.h"

namespace fedtune::cli {

// What a transport is made from; all of it outlives the transport.
struct TransportParts {
  const Options& options;
  const Federation& federation;
  const RunFolder& folder;
  const Layout& layout;  // of what travels
  RunWatch& watch;
  report::Progress& progress;
};

// Who carries out a run: this process alone, or a server with clients elsewhere.
struct Party {
  std::string_view command;  // "run": for the line that says how to go on
  std::function<std::unique_ptr<fed::Transport>(const TransportParts& parts)> make_transport;
};

// Starts a run, or goes on with one (--resume). Throws Error; Interrupted once the state is saved.
void carry_out(const CommandLine& line, const Party& party);

}  // namespace fedtune::cli
