// What the round engine moves: named tensors, weights and reports; never a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune::fed {

// What the server asks of a client.
struct Instruction {
  int round = 0;  // 1 ..
  int rank = 0;   // client, 1 .. N
  NamedTensors global{};
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
  NamedTensors tensors{};
  double weight = 0.0;  // batches or sentences of its share, as the run says
  ClientReport report{};
};

// What a strategy keeps between rounds besides the global tensors (a teacher, a server's momentum). Numbers are tensors
// too.
struct StrategyState {
  int since = 0;  // the round that last changed it; 0: it is as the strategy was built, and needs no tensors
  NamedTensors tensors{};
};

// Scores of a server-side teacher, for the schemes that have one.
struct TeacherEvaluation {
  double loss = 0.0;
  double reference_loss = 0.0;
  double accuracy = 0.0;
};

// Scores of one global model on the validation set.
struct Evaluation {
  double loss = 0.0;            // mean cross-entropy per sentence
  double reference_loss = 0.0;  // sum over batches of the batch's mean loss, over the number of sentences
  double accuracy = 0.0;
  double mcc = 0.0;  // Matthews correlation coefficient
  double f1 = 0.0;   // of class 1
  std::int64_t sentences = 0;
  std::optional<TeacherEvaluation> teacher{};
};

// An accepted contribution, without its tensors. The checkpoints of earlier versions have neither hash nor norms.
struct ClientRecord {
  int rank = 0;
  double weight = 0.0;
  ClientReport report{};
  std::string sha256{};      // final_sha256 of its tensors
  double norm = 0.0;         // L2, of all its values together
  double change = 0.0;       // the same of their difference from the global tensors it was sent
  double sent_weight = 0.0;  // what it said; `weight` is what entered, at most --max-client-weight
};

// A contribution that was left out, or a client that gave none.
struct Refusal {
  int rank = 0;
  std::string reason{};
};

// Wall clock of each phase of a round.
struct PhaseSeconds {
  double train = 0.0;  // from sending the instructions to the last contribution that was accepted
  double aggregate = 0.0;
  double distil = 0.0;
  double evaluate = 0.0;
  double wait = 0.0;  // from the last contribution accepted to the end of the exchange: for clients that gave none
};

// Everything that is kept of a round; round 0 is the evaluation of the initial model alone.
struct RoundRecord {
  int round = 0;
  std::vector<int> cohort{};             // ranks asked, ascending
  std::vector<ClientRecord> accepted{};  // ascending rank
  std::vector<Refusal> refused{};        // in order of arrival
  std::int64_t bytes_up = 0;             // tensor bytes received from clients, refused ones too
  std::int64_t bytes_down = 0;           // tensor bytes sent to clients
  PhaseSeconds seconds{};
  Evaluation evaluation{};
  std::string global_sha256{};  // final_sha256 of the global tensors after the round

  // Sentences processed by the accepted clients, over the seconds of training; 0 for round 0.
  double sentences_per_second() const;
};

// The accepted clients that said they weigh more than ten times the median of all accepted, ascending rank. With fewer
// than three there is nothing to compare.
std::vector<int> heavy_clients(const RoundRecord& record);

}  // namespace fedtune::fed
