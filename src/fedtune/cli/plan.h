// What a run will send and take, before it starts: bytes from the layout, time and memory from a few real steps here.
#pragma once

#include <cstdint>
#include <vector>

#include "fedtune/cli/federation.h"
#include "fedtune/report/results.h"

namespace fedtune::cli {

// Bytes that travel, exact while every client that is asked answers.
struct PlannedTraffic {
  std::int64_t tensors = 0;
  std::int64_t numbers = 0;
  std::int64_t payload = 0;  // bytes of a client, one way
  std::int64_t head = 0;     // of these, what is no adapter; FedAvg: 0
  std::vector<report::RoundBytes> rounds{};
};
PlannedTraffic planned_traffic(const Options& options, const Layout& layout);

// Seconds of the whole run, by phase.
struct PlannedTime {
  double train = 0.0;
  double aggregate = 0.0;
  double distil = 0.0;
  double evaluate = 0.0;
  double rounds() const { return train + aggregate + distil + evaluate; }
};

struct Measured {
  PlannedTime time;
  std::int64_t memory = 0;  // bytes: the largest resident set, with the contributions of a whole cohort
};
// Plays a shortened round with the real model, the real batches and the real strategy, and extends it by the tokens of
// the whole. Takes some seconds. The shares of `federation` are cut short and put back. Where the scheme distils and
// there is no teacher, its work is left out. Throws Interrupted.
Measured measure(const Options& options, Federation& federation);

}  // namespace fedtune::cli
