#include "fedtune/fed/engine.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/memory.h"
#include "fedtune/base/random.h"
#include "fedtune/fed/measuring.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

constexpr int most_attempts = 2;  // at a round in which too few contribute

void check(const EngineOptions& options) {
  if (options.rounds < 0) throw usage_error("rounds: found {}, expected 0 or more", options.rounds);
  if (options.clients < 1) throw usage_error("clients: found {}, expected 1 or more", options.clients);
  if (options.fewest < 1)
    throw usage_error("contributions a round needs: found {}, expected 1 or more", options.fewest);
  if (!(options.max_client_weight > 0.0)) {
    throw usage_error("the most a client may weigh: found {}, expected above 0", options.max_client_weight);
  }
  if (!(options.fraction_fit > 0.0 && options.fraction_fit <= 1.0)) {
    throw usage_error("fraction-fit: found {}, expected above 0 and at most 1", options.fraction_fit);
  }
}

// Runs `body` and adds the seconds it took to `total`.
template <typename Body>
auto timed(double& total, Body&& body) {
  const Stopwatch watch;
  auto result = body();
  total += watch.seconds();
  return result;
}

template <typename Callback, typename... Args>
void notify(const Callback& callback, Args&&... args) {
  if (callback) callback(std::forward<Args>(args)...);
}

std::string reasons_text(const std::vector<Refusal>& refused) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, refused.size()); ++i) {
    text += fmt::format("client {}: {}; ", refused[i].rank, refused[i].reason);
  }
  if (refused.size() > shown) text += fmt::format("and {} more; ", refused.size() - shown);
  return refused.empty() ? "no client answered; " : text;
}

}  // namespace

// What an exchange leaves: the accepted contributions in ascending rank, and their measures, which are still being
// taken.
struct Engine::Gathered {
  std::vector<Update> updates;
  std::unique_ptr<Measuring> measuring;
  std::vector<std::size_t> arrival;  // of each update: as which it arrived, which is how `measuring` knows it

  // Waits for the measures and enters them into `record`, whose accepted clients are those of the updates.
  void complete(RoundRecord& record) {
    std::vector<aggregate::Measures> measures = measuring->finish();
    for (std::size_t i = 0; i < record.accepted.size(); ++i) {
      aggregate::Measures& measured = measures.at(arrival.at(i));
      ClientRecord& client = record.accepted[i];
      client.sha256 = std::move(measured.sha256);
      client.norm = measured.norm;
      client.change = measured.change;
    }
  }
};

// Admits what arrives, once per client, and keeps the record.
class Engine::Exchange {
 public:
  Exchange(Engine& engine, RoundRecord& record) : engine_(engine), record_(record) {}

  void run(const NamedTensors& global) {
    measuring_ = std::make_unique<Measuring>(global);
    record_.bytes_down += static_cast<std::int64_t>(global.total_bytes() * record_.cohort.size());
    const Stopwatch watch;
    double last_accepted = 0.0;
    engine_.parts_.transport.exchange(
        record_.round, global, record_.cohort,
        [&](Update update) {
          if (take(std::move(update))) last_accepted = watch.seconds();
        },
        [&](int rank, const std::string& reason) { refuse(rank, reason); });
    record_.seconds.train += last_accepted;
    record_.seconds.wait += watch.seconds() - last_accepted;
  }

  Gathered gathered() {
    Gathered gathered{.updates = {}, .measuring = std::move(measuring_), .arrival = {}};
    for (std::size_t i = 0; i < accepted_.size(); ++i) gathered.arrival.push_back(i);
    std::ranges::sort(gathered.arrival, {}, [this](std::size_t i) { return accepted_[i].rank; });
    for (const std::size_t i : gathered.arrival) {
      record_.accepted.push_back(std::move(records_[i]));
      gathered.updates.push_back(std::move(accepted_[i]));
    }
    return gathered;
  }

 private:
  bool take(Update update) {
    record_.bytes_up += static_cast<std::int64_t>(update.tensors.total_bytes());
    if (const Status status = check(update); !status) {
      refuse(update.rank, status.reason());
      return false;
    }
    const double sent = update.weight;
    update.weight = std::min(sent, engine_.options_.max_client_weight);
    records_.push_back({.rank = update.rank, .weight = update.weight, .report = update.report, .sent_weight = sent});
    notify(engine_.observer_.on_client, record_.round, records_.back());
    measuring_->add(update.tensors);  // before they are put aside: so they need not be read from a file
    update.tensors = engine_.spill_.hold(std::move(update.tensors));
    accepted_.push_back(std::move(update));
    return true;
  }

  // A client that was refused has had its turn: what it sends afterwards is a duplicate too.
  Status check(const Update& update) {
    if (update.round != record_.round) {
      return Status::refused(fmt::format("it is for round {}, expected round {}", update.round, record_.round));
    }
    if (!std::binary_search(record_.cohort.begin(), record_.cohort.end(), update.rank)) {
      return Status::refused("it was not asked in this round");
    }
    if (std::find(heard_.begin(), heard_.end(), update.rank) != heard_.end()) {
      return Status::refused("it has already sent a contribution in this round");
    }
    heard_.push_back(update.rank);
    return engine_.parts_.strategy.admit(update);
  }

  void refuse(int rank, const std::string& reason) {
    record_.refused.push_back({.rank = rank, .reason = reason});
    notify(engine_.observer_.on_refused, record_.round, record_.refused.back());
  }

  Engine& engine_;
  RoundRecord& record_;
  std::unique_ptr<Measuring> measuring_;
  std::vector<int> heard_;
  std::vector<Update> accepted_;
  std::vector<ClientRecord> records_;
};

Engine::Engine(const EngineOptions& options, const Parts& parts, Observer observer)
    : options_(options), parts_(parts), observer_(std::move(observer)), spill_(parts.spill) {
  check(options_);
}

RunOutcome Engine::run(std::optional<SavedRun> from) {
  SavedRun run = from ? std::move(*from) : start();
  if (layout_of(run.global) != parts_.strategy.layout()) {
    throw input_error("the global tensors are not laid out as the model's; the checkpoint belongs to another model");
  }
  if (from) parts_.strategy.restore(run.state);
  for (int round = run.round + 1; round <= options_.rounds; ++round) {
    throw_if_interrupted();
    const RoundRecord record = play_round(round, run.global);
    notify(observer_.on_round, record);
    keep(record, run);
  }
  parts_.transport.finish();
  return {.global = std::move(run.global),
          .history = parts_.store != nullptr ? parts_.store->history() : std::move(run.history)};
}

SavedRun Engine::start() {
  SavedRun run{.global = parts_.strategy.initial()};
  RoundRecord record;
  record.evaluation = timed(record.seconds.evaluate, [&] { return parts_.strategy.evaluate(0, run.global); });
  record.global_sha256 = final_sha256(run.global);
  notify(observer_.on_start, record);
  keep(record, run);
  return run;
}

RoundRecord Engine::play_round(int round, NamedTensors& global) {
  RoundRecord record;
  record.round = round;
  record.cohort = choose_cohort(options_, round);
  notify(observer_.on_round_start, round, record.cohort);
  Gathered gathered = gather(global, record);
  // What training has freed is not needed while contributions are averaged; and it lies differently in each round, so
  // that a process that kept it would take up more of its heap for a thousand rounds.
  give_back_freed_memory();

  Strategy& strategy = parts_.strategy;
  PhaseSeconds& seconds = record.seconds;
  global = timed(seconds.aggregate, [&] { return strategy.aggregate(round, global, gathered.updates); });
  throw_if_interrupted();
  global = timed(seconds.distil, [&] { return strategy.refine(round, std::move(global)); });
  throw_if_interrupted();
  record.evaluation = timed(seconds.evaluate, [&] { return strategy.evaluate(round, global); });
  record.global_sha256 = final_sha256(global);
  gathered.complete(record);
  return record;
}

Engine::Gathered Engine::gather(const NamedTensors& global, RoundRecord& record) {
  const int attempts = parts_.transport.worth_retrying() ? most_attempts : 1;
  const std::size_t needed = std::min(record.cohort.size(), static_cast<std::size_t>(options_.fewest));
  std::size_t heard = 0;
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    Exchange exchange(*this, record);
    exchange.run(global);
    throw_if_interrupted();
    Gathered gathered = exchange.gathered();
    heard = gathered.updates.size();
    if (heard >= needed) return gathered;
    record.accepted.clear();
  }
  const std::string found = heard == 0 ? "no contribution" : fmt::format("{} of {} contributions", heard, needed);
  throw Error(
      parts_.transport.failure_kind(),
      fmt::format("round {}: {} of {} clients was accepted{}: {}the rounds before it are saved", record.round, found,
                  record.cohort.size(), attempts > 1 ? ", in two attempts" : "", reasons_text(record.refused)));
}

// In the store, or in memory where there is none.
void Engine::keep(const RoundRecord& record, SavedRun& run) {
  if (parts_.store == nullptr) {
    run.history.push_back(record);
    return;
  }
  parts_.store->save({.global = run.global,
                      .record = record,
                      .state = parts_.strategy.state(),
                      .events_bytes = observer_.events_bytes ? observer_.events_bytes() : 0});
}

int cohort_size(const EngineOptions& options) {
  const auto wanted = static_cast<int>(std::lround(options.fraction_fit * options.clients));
  return std::clamp(wanted, 1, options.clients);
}

std::vector<int> choose_cohort(const EngineOptions& options, int round) {
  const auto size = static_cast<std::size_t>(cohort_size(options));
  RandomStream stream({.seed = options.seed, .purpose = Purpose::cohort, .round = static_cast<std::uint32_t>(round)});
  std::vector<int> cohort;
  for (const std::uint32_t index : stream.permutation(static_cast<std::uint32_t>(options.clients))) {
    if (cohort.size() < size) cohort.push_back(static_cast<int>(index) + 1);
  }
  std::sort(cohort.begin(), cohort.end());
  return cohort;
}

}  // namespace fedtune::fed
