#include "fedtune/cli/drill/director.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fedtune/base/clock.h"
#include "fedtune/base/file.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/cli/drill/drilled_task.h"
#include "fedtune/cli/drill/line.h"
#include "fedtune/cli/drill/process.h"

namespace fedtune::cli {
namespace {

constexpr auto look_up = std::chrono::milliseconds(20);
constexpr int most_server_restarts = 50;

bool is_within(FaultKind kind) {
  return kind == FaultKind::delay || kind == FaultKind::corrupt || kind == FaultKind::nan;
}

class Director {
 public:
  explicit Director(const DrillSetup& setup) : setup_(setup) {
    create_folders(setup_.logs);
    for (int rank = 1; rank <= setup_.clients; ++rank) lines_[rank] = std::make_unique<Line>();
  }

  DrillOutcome play() {
    start_server();
    for (int rank = 1; rank <= setup_.clients; ++rank) start_client(rank);
    while (!is_over()) {
      throw_if_interrupted();
      read_events();
      run_timers();
      look_after_clients();
      std::this_thread::sleep_for(look_up);
    }
    read_events();
    for (auto& [round, drilled] : rounds_) outcome_.rounds.push_back(std::move(drilled));
    return std::move(outcome_);
  }

 private:
  bool is_over() {
    if (clock_.seconds() > setup_.give_up) return outcome_.timed_out = true;
    if (port_ == 0) find_port();
    const std::optional<int> ended = server_->ended();
    if (!ended) return false;
    outcome_.server_exit = *ended;
    const bool struck = *ended == 128 + SIGKILL || (*ended == 1 && disk_is_full_);
    if (!struck || outcome_.server_restarts == most_server_restarts) return true;
    ++outcome_.server_restarts;
    read_events();
    start_server();
    return false;
  }

  void start_server() {
    const bool resumes = std::filesystem::exists(setup_.run / "config.toml");
    std::vector<std::string> arguments{"server", "--address", "127.0.0.1:0", "--progress", "plain"};
    if (resumes) {
      arguments.insert(arguments.end(), {"--resume", setup_.run.string()});
    } else {
      arguments.insert(arguments.end(), setup_.server.begin(), setup_.server.end());
    }
    server_log_ = setup_.logs / fmt::format("server-{}.log", outcome_.server_restarts + 1);
    server_.emplace(PartyProcess::Start{.arguments = arguments, .log = server_log_, .variables = {}});
    disk_is_full_ = false;
    port_ = 0;
  }

  void find_port() {
    if (!std::filesystem::exists(server_log_)) return;
    static const std::regex listening("listening on .*:([0-9]+) for");
    std::smatch found;
    const std::string text = read_file(server_log_);
    if (!std::regex_search(text, found, listening)) return;
    offset_ = 0;  // what lay behind its checkpoint is cut off by now
    port_ = std::stoi(found[1]);
    for (auto& [rank, line] : lines_) line->lead_to(port_);
  }

  void start_client(int rank) {
    std::vector<std::string> arguments{"client",
                                       "--server",
                                       fmt::format("127.0.0.1:{}", lines_[rank]->port()),
                                       "--rank",
                                       std::to_string(rank),
                                       "--wait",
                                       fmt::format("{}", setup_.give_up)};
    arguments.insert(arguments.end(), setup_.client.begin(), setup_.client.end());
    clients_.erase(rank);
    clients_.emplace(rank, PartyProcess({.arguments = arguments,
                                         .log = setup_.logs / fmt::format("client-{}.log", rank),
                                         .variables = {{drill_variable, orders_for(rank)}}}));
  }

  // What a client does of its own accord, over all rounds.
  std::string orders_for(int rank) const {
    std::vector<std::string> orders;
    constexpr int most_rounds = 10'000;
    for (int index = 0; index < static_cast<int>(setup_.script.faults.size()); ++index) {
      const Fault& fault = setup_.script.faults[static_cast<std::size_t>(index)];
      if (!is_within(fault.kind)) continue;
      const int last = fault.rounds.empty() ? std::min(most_rounds, 200) : *std::ranges::max_element(fault.rounds);
      for (int round = 1; round <= last; ++round) {
        if (std::ranges::count(struck(index, round), rank) == 0) continue;
        orders.push_back(fmt::format("{}:{}:{}", round, fault_name(fault.kind), fault.seconds));
      }
    }
    return fmt::format("{}", fmt::join(orders, ","));
  }

  std::vector<int> struck(int index, int round) const {
    return struck_by(setup_.script.faults[static_cast<std::size_t>(index)],
                     {.seed = setup_.script.seed, .index = index, .round = round, .clients = setup_.clients});
  }

  // New lines of the run's log.
  void read_events() {
    if (port_ == 0) return;
    const std::filesystem::path path = setup_.run / "events.jsonl";
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    if (none || size <= offset_) return;
    std::ifstream file(path);
    file.seekg(static_cast<std::streamoff>(offset_));
    for (std::string line; std::getline(file, line) && !file.eof();) {
      offset_ += line.size() + 1;
      const nlohmann::json event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (event.is_object()) take(event);
    }
  }

  void take(const nlohmann::json& event) {
    const std::string kind = event.value("event", "");
    const int round = event.value("round", 0);
    if (kind == "round_start") {
      DrilledRound& drilled = rounds_[round];
      drilled.round = round;
      drilled.asked = event.at("cohort").size();
      drilled.left_out.clear();
      if (struck_rounds_.insert({round, true}).second) strike(round);
    } else if (kind == "refused") {
      rounds_[round].left_out.push_back(
          fmt::format("client {}: {}", event.value("rank", 0), event.value("reason", "")));
    } else if (kind == "round") {
      rounds_[round].accepted = event.at("accepted").size();
      for (const int rank : std::exchange(killed_, {})) {  // back for the next round
        ++outcome_.client_restarts;
        start_client(rank);
      }
    }
  }

  // Once for each round, also where the server plays it again.
  void strike(int round) {
    for (int index = 0; index < static_cast<int>(setup_.script.faults.size()); ++index) {
      const Fault& fault = setup_.script.faults[static_cast<std::size_t>(index)];
      const std::vector<int> ranks = struck(index, round);
      const bool server = fault.server && (fault.rounds.empty() || std::ranges::count(fault.rounds, round) > 0);
      if (ranks.empty() && !server) continue;
      rounds_[round].faults.push_back(
          fmt::format("{} {}", fault_name(fault.kind), server ? "server" : fmt::format("{}", fmt::join(ranks, " "))));
      if (server) strike_server(fault);
      for (const int rank : ranks) strike_client(fault, rank);
    }
  }

  void strike_server(const Fault& fault) {
    if (fault.kind == FaultKind::kill) {
      server_->send(SIGKILL);
    } else if (fault.kind == FaultKind::full_disk) {
      disk_is_full_ = true;
      server_->fill_disk();
    } else {
      server_->send(SIGSTOP);
      later(fault.seconds, [this] { server_->send(SIGCONT); });
    }
  }

  void strike_client(const Fault& fault, int rank) {
    const auto found = clients_.find(rank);
    if (found == clients_.end() || is_within(fault.kind)) return;
    if (fault.kind == FaultKind::kill) {
      found->second.send(SIGKILL);
      killed_.push_back(rank);
    } else if (fault.kind == FaultKind::hang) {
      found->second.send(SIGSTOP);
      later(fault.seconds, [this, rank] { clients_.at(rank).send(SIGCONT); });
    } else if (fault.kind == FaultKind::partition) {
      lines_[rank]->cut(true);
      later(fault.seconds, [this, rank] { lines_[rank]->cut(false); });
    } else {  // duplicate: a second program under the same rank, which ends the first
      doubles_.push_back(std::move(found->second));
      start_client(rank);
    }
  }

  void later(double seconds, std::function<void()> action) {
    timers_.emplace(clock_.seconds() + seconds, std::move(action));
  }
  void run_timers() {
    while (!timers_.empty() && timers_.begin()->first <= clock_.seconds()) {
      const auto action = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      action();
    }
  }

  // A client that ended although nobody killed it is started again, as its owner would.
  void look_after_clients() {
    for (auto& [rank, client] : clients_) {
      if (!client.ended() || std::ranges::count(killed_, rank) > 0) continue;
      if (client.ended() == 0 || outcome_.client_restarts > 1000) continue;  // the run is over
      ++outcome_.client_restarts;
      start_client(rank);
      return;
    }
  }

  const DrillSetup& setup_;
  Stopwatch clock_;
  std::map<int, std::unique_ptr<Line>> lines_;
  std::optional<PartyProcess> server_;
  std::map<int, PartyProcess> clients_;
  std::vector<PartyProcess> doubles_;
  std::filesystem::path server_log_;
  int port_ = 0;
  bool disk_is_full_ = false;
  std::size_t offset_ = 0;  // read so far of the run's log
  std::map<int, DrilledRound> rounds_;
  std::map<int, bool> struck_rounds_;
  std::vector<int> killed_;
  std::multimap<double, std::function<void()>> timers_;
  DrillOutcome outcome_;
};

}  // namespace

DrillOutcome play_drill(const DrillSetup& setup) {
  return Director(setup).play();
}

}  // namespace fedtune::cli
