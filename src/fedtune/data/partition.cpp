#include "fedtune/data/partition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/base/random.h"
#include "fedtune/data/split.h"

namespace fedtune::data {
namespace {

using Share = std::vector<std::uint32_t>;

constexpr std::uint32_t most_draws = 1000;

constexpr std::array<std::pair<PartitionKind, std::string_view>, 5> names{{{PartitionKind::percent, "percent"},
                                                                           {PartitionKind::rows, "rows"},
                                                                           {PartitionKind::iid, "iid"},
                                                                           {PartitionKind::dirichlet, "dirichlet"},
                                                                           {PartitionKind::quantity, "quantity"}}};

void check(const PartitionOptions& options, std::size_t rows) {
  if (options.num_clients < 1) throw usage_error("--num-clients {}: expected 1 or more", options.num_clients);
  if (options.public_percent < 0 || options.public_percent > 99) {
    throw usage_error("--teacher-data-pct {}: expected 0 .. 99", options.public_percent);
  }
  if (!(options.alpha > 0.0) || !std::isfinite(options.alpha)) {
    throw usage_error("--alpha {}: expected a number above 0", options.alpha);
  }
  if (options.min_share < 1) throw usage_error("--min-share {}: expected 1 or more", options.min_share);
  if (rows == 0) throw input_error("sharing out the training set: it holds no sentences");
}

Share consecutive(RowRange range) {
  Share share(static_cast<std::size_t>(range.end - range.begin));
  std::iota(share.begin(), share.end(), static_cast<std::uint32_t>(range.begin));
  return share;
}

StreamKey place(const PartitionOptions& options, std::uint32_t draw, std::uint32_t site) {
  return {.seed = options.seed, .purpose = Purpose::partition, .step = draw, .site = site};
}

// `rows` in a seeded random order.
Share shuffled(const Share& rows, const StreamKey& where) {
  RandomStream random(where);
  Share result(rows.size());
  const auto order = random.permutation(static_cast<std::uint32_t>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) result[i] = rows[order[i]];
  return result;
}

// Dir(alpha, ..., alpha): independent gamma draws over their sum.
std::vector<double> dirichlet(const PartitionOptions& options, const StreamKey& where) {
  RandomStream random(where);
  std::vector<double> weights(static_cast<std::size_t>(options.num_clients));
  for (double& weight : weights) weight = random.gamma(options.alpha);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (sum <= 0.0) {  // alpha so small that every draw was rounded to 0: the limit is one client takes all
    weights[random.below(static_cast<std::uint32_t>(options.num_clients))] = 1.0;
    return weights;
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Deals the rows out in order, counts[k] to client k.
void deal(const Share& rows, const std::vector<std::int64_t>& counts, std::vector<Share>& clients) {
  auto next = rows.begin();
  for (std::size_t k = 0; k < clients.size(); ++k) {
    clients[k].insert(clients[k].end(), next, next + counts[k]);
    next += counts[k];
  }
}

std::size_t smallest(const std::vector<Share>& clients) {
  const auto least = std::min_element(clients.begin(), clients.end(),
                                      [](const Share& a, const Share& b) { return a.size() < b.size(); });
  return static_cast<std::size_t>(least - clients.begin());
}

// Redraws all proportions until each client has min_share rows. `groups` are dealt separately: the classes, or all
// rows.
std::vector<Share> draw_until_enough(const std::vector<Share>& groups, const PartitionOptions& options) {
  std::vector<Share> clients;
  for (std::uint32_t draw = 0; draw < most_draws; ++draw) {
    clients.assign(static_cast<std::size_t>(options.num_clients), {});
    for (std::size_t group = 0; group < groups.size(); ++group) {
      const auto weights = dirichlet(options, place(options, draw + 1, static_cast<std::uint32_t>(group)));
      deal(groups[group], largest_remainder(weights, static_cast<std::int64_t>(groups[group].size())), clients);
    }
    if (static_cast<std::int64_t>(clients[smallest(clients)].size()) >= options.min_share) return clients;
  }
  const std::size_t least = smallest(clients);
  throw input_error(
      "sharing out the training set: after {} draws client {} still has {} sentences, fewer than --min-share {}; raise "
      "--alpha, lower --min-share or have fewer than {} clients",
      most_draws, least + 1, clients[least].size(), options.min_share, options.num_clients);
}

// The remaining rows in groups that are dealt separately, each in a seeded order.
std::vector<Share> shuffled_classes(const Sentences& train, const Share& rest, const PartitionOptions& options) {
  std::vector<Share> classes;
  for (const std::uint32_t row : rest) {
    const auto label = static_cast<std::size_t>(train[row].label);
    if (label >= classes.size()) classes.resize(label + 1);
    classes[label].push_back(row);
  }
  for (std::size_t label = 0; label < classes.size(); ++label) {
    classes[label] = shuffled(classes[label], place(options, 0, static_cast<std::uint32_t>(label)));
  }
  return classes;
}

std::vector<Share> client_shares(const Sentences& train, PartitionKind kind, const PartitionOptions& options) {
  const auto rows = static_cast<std::int64_t>(train.size());
  const RowRange rest_range{.begin = percent_to_row(options.public_percent, rows), .end = rows};
  const Share rest = consecutive(rest_range);
  const PercentSplit split{.public_percent = options.public_percent, .num_clients = options.num_clients};
  std::vector<Share> clients(static_cast<std::size_t>(options.num_clients));
  switch (kind) {
    case PartitionKind::percent:
      for (int rank = 1; rank <= options.num_clients; ++rank) {
        clients[static_cast<std::size_t>(rank - 1)] = consecutive(client_rows(split, rank, rows));
      }
      return clients;
    case PartitionKind::rows:
      deal(rest, equal_counts(options.num_clients, std::ssize(rest)), clients);
      return clients;
    case PartitionKind::iid:
      deal(shuffled(rest, place(options, 0, 0)), equal_counts(options.num_clients, std::ssize(rest)), clients);
      return clients;
    case PartitionKind::dirichlet:
      return draw_until_enough(shuffled_classes(train, rest, options), options);
    case PartitionKind::quantity:
      return draw_until_enough({shuffled(rest, place(options, 0, 0))}, options);
  }
  throw failed("unknown partition kind");
}

}  // namespace

PartitionKind partition_kind(std::string_view name) {
  for (const auto& [kind, known] : names) {
    if (known == name) return kind;
  }
  throw usage_error("--partition {}: expected percent, rows, iid, dirichlet or quantity", name);
}

std::string_view partition_name(PartitionKind kind) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == kind; });
  return found->second;
}

Partition partition(const Sentences& train, const PartitionOptions& options) {
  check(options, train.size());
  const int per_cents = 100 - options.public_percent;
  const bool too_many = options.num_clients > per_cents;
  Partition result;
  result.kind = options.kind.value_or(too_many ? PartitionKind::rows : PartitionKind::percent);
  if (!options.kind && too_many) {
    result.notes.push_back(fmt::format(
        "{} clients are more than the {} per cent left to share out: each gets equally many consecutive rows "
        "(--partition rows)",
        options.num_clients, per_cents));
  }
  result.public_share =
      consecutive({.begin = 0, .end = percent_to_row(options.public_percent, static_cast<std::int64_t>(train.size()))});
  result.clients = client_shares(train, result.kind, options);
  for (Share& share : result.clients) std::sort(share.begin(), share.end());
  if (const std::size_t least = smallest(result.clients); result.clients[least].empty()) {
    throw input_error(
        "sharing out the training set: the share of client {} is empty ({} sentences, {} per cent public, {} clients, "
        "--partition {}); have fewer clients or more data",
        least + 1, train.size(), options.public_percent, options.num_clients, partition_name(result.kind));
  }
  return result;
}

std::vector<std::int64_t> count_labels(const Sentences& train, std::span<const std::uint32_t> share,
                                       std::int64_t num_labels) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(num_labels));
  for (const std::uint32_t row : share) ++counts.at(static_cast<std::size_t>(train[row].label));
  return counts;
}

}  // namespace fedtune::data
