// Our client under a stock Flower server (start_server): it is asked over one stream, by Flower's Join.
#pragma once

#include <functional>

#include "fedtune/fed/local_task.h"
#include "fedtune/net/client.h"

namespace fedtune::net {

// What a Flower server may ask besides training.
struct JoinParts {
  fed::LocalTask& task;
  Layout layout;                          // of what travels, by position
  std::function<NamedTensors()> initial;  // asked of one client, where the server has nothing to start from
  std::function<fed::Evaluation(const NamedTensors& global)> evaluate;
};

// Takes part until the server says that it is over. The rank is the client's own affair: it names its share. A task
// that throws is answered as a failure, and the run goes on. Throws Error(network) when the server cannot be reached
// for `give_up` seconds or the stream breaks for another reason than the end of the run; Interrupted.
void join_flower(const ClientOptions& options, const JoinParts& parts);

}  // namespace fedtune::net
