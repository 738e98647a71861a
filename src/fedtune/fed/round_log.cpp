#include "fedtune/fed/round_log.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::fed {
namespace {

// Reads one event after the other.
class LogReader {
 public:
  std::vector<LoggedRound> rounds;

  void read(std::string_view line, const std::string& where) {
    const nlohmann::json event = parse_json(line, where);
    const auto kind = required<std::string>(event, "event", where);
    if (kind == "start") {
      complete({}, event, where);
    } else if (kind == "round_start") {
      cohort_ = required<std::vector<int>>(event, "cohort", where);
      entries_.clear();
    } else if (kind == "client") {
      LoggedContribution entry{.rank = required<int>(event, "rank", where),
                               .weight = required<double>(event, "weight", where),
                               .sha256 = {}};
      entries_[entry.rank] = std::move(entry);  // of the second attempt at a round, where there were two
    } else if (kind == "measured") {
      const auto entry = entries_.find(required<int>(event, "rank", where));
      if (entry != entries_.end()) entry->second.sha256 = required<std::string>(event, "sha256", where);
    } else if (kind == "round") {
      complete(required<std::vector<int>>(event, "accepted", where), event, where);
    }
  }

 private:
  void complete(std::vector<int> accepted, const nlohmann::json& event, const std::string& where) {
    LoggedRound round{.round = required<int>(event, "round", where),
                      .cohort = std::exchange(cohort_, {}),
                      .global_sha256 = required<std::string>(event, "global_sha256", where)};
    if (const auto next = static_cast<int>(rounds.size()); round.round != next) {
      throw input_error("{}: found round {}, expected round {}; lines of the log are missing or doubled", where,
                        round.round, next);
    }
    std::sort(accepted.begin(), accepted.end());
    for (const int rank : accepted) {
      const auto entry = entries_.find(rank);
      if (entry == entries_.end() || entry->second.sha256.empty()) {
        throw input_error("{}: round {} accepted client {}, whose contribution is not in the log", where, round.round,
                          rank);
      }
      round.accepted.push_back(entry->second);
    }
    const auto score = [&](std::string_view key) {
      return optional_or<double>(event, key, std::numeric_limits<double>::quiet_NaN(), where);
    };
    round.evaluation = {.loss = score("loss"),
                        .accuracy = score("accuracy"),
                        .mcc = score("mcc"),
                        .f1 = score("f1"),
                        .teacher = std::nullopt};
    rounds.push_back(std::move(round));
  }

  std::vector<int> cohort_;
  std::map<int, LoggedContribution> entries_;
};

}  // namespace

std::vector<LoggedRound> read_round_log(std::string_view text, const std::string& source) {
  LogReader reader;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end < text.size()) reader.read(text.substr(0, end), fmt::format("{}, line {}", source, number + 1));
    text.remove_prefix(std::min(end + 1, text.size()));  // a last line without its end is a crash's
    ++number;
  }
  return std::move(reader.rounds);
}

}  // namespace fedtune::fed
