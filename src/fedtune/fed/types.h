// What the round engine moves: named tensors, weights and reports; never a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::fed {

// What the server asks of a client.
struct Instruction {
  int round = 0;  // 1 ..
  int rank = 0;   // client, 1 .. N
  NamedTensors global;
};

// What a client did, for the record; nothing of it enters the aggregate but the weight.
struct ClientReport {
  std::int64_t sentences = 0;  // processed, over all local epochs
  std::int64_t batches = 0;    // optimiser steps
  std::int64_t tokens = 0;     // real tokens processed
  double loss = 0.0;           // mean training loss over the steps
  double seconds = 0.0;        // wall clock of the local phase
};

// A client's contribution.
struct Update {
  int round = 0;
  int rank = 0;
  NamedTensors tensors;
  double weight = 0.0;  // batches or sentences of its share, as the run says
  ClientReport report;
};

// Scores of one global model on the validation set.
struct Evaluation {
  double loss = 0.0;            // mean cross-entropy per sentence
  double reference_loss = 0.0;  // sum over batches of the batch's mean loss, over the number of sentences
  double accuracy = 0.0;
  double mcc = 0.0;  // Matthews correlation coefficient
  double f1 = 0.0;   // of class 1
  std::int64_t sentences = 0;
};

}  // namespace fedtune::fed
