// Who owns which training sentence: the public share of the server, then one share per client.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/data/dataset.h"

namespace fedtune::data {

enum class PartitionKind {
  percent,    // whole per cents of the file, consecutive: the reference's
  rows,       // equal consecutive rows
  iid,        // equal parts of a seeded permutation
  dirichlet,  // per class, proportions over clients ~ Dir(alpha)
  quantity,   // sizes ~ Dir(alpha), over a seeded permutation
};

struct PartitionOptions {
  // Unset: percent up to 100 - public_percent clients, rows beyond it (said in Partition::notes).
  std::optional<PartitionKind> kind = {};
  int num_clients = 4;
  // Per cent of the training set, from its start, that the server keeps; 0 .. 99.
  int public_percent = 20;
  double alpha = 0.5;          // dirichlet, quantity: smaller is more uneven; > 0
  std::int64_t min_share = 1;  // dirichlet, quantity: redrawn until each client has as many sentences
  std::uint64_t seed = 0;
};

struct Partition {
  PartitionKind kind = PartitionKind::percent;
  // Rows of the training set, ascending.
  std::vector<std::uint32_t> public_share;
  std::vector<std::vector<std::uint32_t>> clients;  // rank k is clients[k - 1]
  // What the user should be told, one sentence each.
  std::vector<std::string> notes;
};

// "percent", "rows", "iid", "dirichlet", "quantity"; Error(usage) for another word.
PartitionKind partition_kind(std::string_view name);
std::string_view partition_name(PartitionKind kind);

// Every training row belongs to exactly one share. Depends on the sentences' labels and the options alone. Throws
// Error(usage) for options out of range, Error(input) naming the client whose share would be empty or too small.
Partition partition(const Sentences& train, const PartitionOptions& options);

// How often each label occurs in a share: [num_labels].
std::vector<std::int64_t> count_labels(const Sentences& train, std::span<const std::uint32_t> share,
                                       std::int64_t num_labels);

}  // namespace fedtune::data
