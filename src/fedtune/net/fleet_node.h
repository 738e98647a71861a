// Our client as a node of a Flower deployment: it asks a SuperLink for messages, trains and scores, and pushes replies.
#pragma once

#include "fedtune/net/join_client.h"

namespace fedtune::net {

struct NodeOptions {
  ClientOptions client;     // server: the SuperLink's HOST:PORT
  std::string key{};        // file of the node's private key; empty: a fresh one, which the SuperLink must accept
  double heartbeat = 30.0;  // seconds; the SuperLink counts a node as gone after twice as many
  double poll = 0.5;        // seconds between two questions for messages
};

// Serves one run after another until it is interrupted, and then signs off. Arrays are matched with the layout by name
// where a run's names are the layout's, else by position. Throws Interrupted at the end; Error(network) when the
// SuperLink cannot be reached for `give_up` seconds or refuses the node, with its reason.
void serve_superlink(const NodeOptions& options, const JoinParts& parts);

// Signs on and off again. Throws Error(network) with what the SuperLink refuses the node for.
void check_superlink(const NodeOptions& options);

}  // namespace fedtune::net
