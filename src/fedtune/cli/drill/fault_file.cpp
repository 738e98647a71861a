#include "fedtune/cli/drill/fault_file.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/random.h"
#include "fedtune/cli/toml_file.h"

namespace fedtune::cli {
namespace {

constexpr std::array<std::string_view, 8> names{"kill", "hang",      "delay",     "corrupt",
                                                "nan",  "duplicate", "partition", "full-disk"};

class FaultFileReader {
 public:
  explicit FaultFileReader(const std::filesystem::path& path) : toml_(path) {}

  FaultFile read() {
    for (const auto& [key, node] : TomlFile::in_file_order(toml_.root())) {
      if (key == "seed") {
        file_.seed = static_cast<std::uint64_t>(whole(key, *node, 0));
      } else if (key == "fault") {
        read_faults(*node);
      } else if (key == "expect" && node->is_table()) {
        read_expected(*node->as_table());
      } else {
        throw unknown(key, *node, "seed, [[fault]] or [expect]");
      }
    }
    if (file_.faults.empty()) throw usage_error("a drill without a [[fault]] tries nothing");
    return std::move(file_);
  }

 private:
  Error unknown(const std::string& key, const toml::node& node, std::string_view expected) const {
    return usage_error("{}: {} is not known here; expected {}", toml_.place(node), key, expected);
  }
  int whole(const std::string& key, const toml::node& node, std::int64_t least) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > 1'000'000'000) {
      throw usage_error("{}: {}: expected a whole number, at least {}", toml_.place(node), key, least);
    }
    return static_cast<int>(*value);
  }
  double number(const std::string& key, const toml::node& node) const {
    const auto value = node.value<double>();
    if (!value || !(*value >= 0.0) || !std::isfinite(*value)) {
      throw usage_error("{}: {}: expected a number, at least 0", toml_.place(node), key);
    }
    return *value;
  }
  std::vector<int> numbers(const std::string& key, const toml::node& node) const {
    if (!node.is_array()) throw usage_error("{}: {}: expected a list of whole numbers", toml_.place(node), key);
    std::vector<int> values;
    for (const toml::node& entry : *node.as_array()) values.push_back(whole(key, entry, 1));
    return values;
  }
  bool truth(const std::string& key, const toml::node& node) const {
    const auto value = node.value_exact<bool>();
    if (!value) throw usage_error("{}: {}: expected true or false", toml_.place(node), key);
    return *value;
  }

  void read_faults(const toml::node& node) {
    if (!node.is_array_of_tables()) throw usage_error("{}: fault: expected [[fault]] tables", toml_.place(node));
    for (const toml::node& entry : *node.as_array()) file_.faults.push_back(fault_in(*entry.as_table()));
  }

  Fault fault_in(const toml::table& table) const {
    Fault fault;
    bool has_kind = false;
    for (const auto& [key, node] : TomlFile::in_file_order(table)) {
      if (key == "kind") {
        const auto found = std::ranges::find(names, node->value_or(std::string_view()));
        if (found == names.end()) {
          throw usage_error("{}: kind: expected {}", toml_.place(*node), fmt::join(names, ", "));
        }
        fault.kind = static_cast<FaultKind>(found - names.begin());
        has_kind = true;
      } else if (key == "fraction") {
        fault.fraction = number(key, *node);
      } else if (key == "clients") {
        fault.clients = numbers(key, *node);
      } else if (key == "server") {
        fault.server = truth(key, *node);
      } else if (key == "rounds") {
        fault.rounds = numbers(key, *node);
      } else if (key == "seconds") {
        fault.seconds = number(key, *node);
      } else {
        throw unknown(key, *node, "kind, fraction, clients, server, rounds or seconds");
      }
    }
    if (!has_kind) throw usage_error("{}: a fault needs its kind", toml_.place(table));
    check(fault, table);
    return fault;
  }

  void check(const Fault& fault, const toml::table& table) const {
    const int targets = (fault.fraction > 0.0 ? 1 : 0) + (fault.clients.empty() ? 0 : 1) + (fault.server ? 1 : 0);
    if (targets != 1 || fault.fraction > 1.0) {
      throw usage_error("{}: a fault strikes one of: fraction (up to 1), clients, server = true", toml_.place(table));
    }
    const bool may_strike_server = fault.kind == FaultKind::kill || fault.kind == FaultKind::hang;
    const bool only_server = fault.kind == FaultKind::full_disk;
    if (fault.server ? !may_strike_server && !only_server : only_server) {
      throw usage_error("{}: {} strikes {}", toml_.place(table), fault_name(fault.kind),
                        only_server ? "the server alone" : "clients alone");
    }
  }

  void read_expected(const toml::table& table) {
    for (const auto& [key, node] : TomlFile::in_file_order(table)) {
      if (key == "exit") {
        file_.exit_code = whole(key, *node, 0);
      } else if (key == "min-accepted") {
        file_.min_accepted = whole(key, *node, 0);
      } else if (key == "replays") {
        file_.replays = truth(key, *node);
      } else {
        throw unknown(key, *node, "exit, min-accepted or replays");
      }
    }
  }

  TomlFile toml_;
  FaultFile file_;
};

}  // namespace

std::string_view fault_name(FaultKind kind) {
  return names.at(static_cast<std::size_t>(kind));
}

FaultFile read_fault_file(const std::filesystem::path& path) {
  return FaultFileReader(path).read();
}

std::vector<int> struck_by(const Fault& fault, const FaultPlace& place) {
  if (!fault.rounds.empty() && std::ranges::count(fault.rounds, place.round) == 0) return {};
  if (!fault.clients.empty() || fault.server) return fault.clients;
  RandomStream chance({.seed = place.seed,
                       .round = static_cast<std::uint32_t>(place.round),
                       .site = static_cast<std::uint32_t>(place.index)});
  const auto count = static_cast<std::size_t>(std::lround(fault.fraction * place.clients));
  std::vector<int> struck;
  for (const std::uint32_t client : chance.permutation(static_cast<std::uint32_t>(place.clients))) {
    if (struck.size() < count) struck.push_back(static_cast<int>(client) + 1);
  }
  std::ranges::sort(struck);
  return struck;
}

}  // namespace fedtune::cli
