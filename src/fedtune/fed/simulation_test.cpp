// Federations on a virtual clock, a network in memory and a disk in memory, thousands of them, each a function of its
// seed: what the server runs (engine, board, transport, store) is what it runs in earnest.
//
// A seed that fails is printed. FEDTUNE_SIMULATION_SEED=N plays it again and tells what happens;
// FEDTUNE_SIMULATION_SEEDS=N plays that many.
#include <cstdlib>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/log.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/simulated_client.h"
#include "fedtune/fed/simulated_disk.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::fed {
namespace {

using Values = std::vector<float>;

int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int usual_seeds = 50;
#else
constexpr int usual_seeds = 500;
#endif

// What a run must give, computed here in the plainest way: the mean in the order of ranks, and ToyMomentum's step.
struct Expected {
  Values global = Values(toy_size, 0.25f);
  Values velocity = Values(toy_size);
  std::vector<std::string> contributions{};  // hashes, in the order of `accepted`

  // `accepted` are ranks, ascending, with the weights that entered.
  Expected after(int round, const std::map<int, double>& accepted) const {
    Expected next = *this;
    next.contributions.clear();
    double total = 0.0;
    for (const auto& [rank, weight] : accepted) total += weight;
    std::vector<double> sums(toy_size);
    for (const auto& [rank, weight] : accepted) {
      const Update update = toy_update({.round = round, .rank = rank, .global = toy_tensors(global)});
      const std::span<const float> values = update.tensors.find("w")->f32();
      for (std::size_t i = 0; i < toy_size; ++i) sums[i] += weight / total * static_cast<double>(values[i]);
      next.contributions.push_back(final_sha256(update.tensors));
    }
    for (std::size_t i = 0; i < toy_size; ++i) {
      const auto mean = static_cast<float>(sums[i]);
      next.velocity[i] = 0.5f * velocity[i] + mean;
      next.global[i] = mean + next.velocity[i];
    }
    return next;
  }
  std::string hash() const { return final_sha256(toy_tensors(global)); }
};

// How a seed's world is.
struct Scenario {
  EngineOptions engine{};
  TransportOptions transport{};
  Weather weather{};
  Temper temper{};
  double server_crash = 0.0;  // probability at each event, each call of the disk and each thing the observer is told
  double disk_full = 0.0;     // at each call of the disk
  bool everyone_answers = false;  // so that the end is that of an undisturbed run
};

Scenario scenario_of(RandomStream& chance) {
  const auto some = [&](double most) { return chance.below(3) == 0 ? 0.0 : most * chance.uniform(); };
  Scenario s;
  s.engine = {.rounds = 2 + static_cast<int>(chance.below(4)),
              .clients = 2 + static_cast<int>(chance.below(5)),
              .fraction_fit = chance.below(2) == 0 ? 1.0 : 0.6,
              .seed = chance.below(1000)};
  s.weather = {.delay = 0.002 + 0.05 * chance.uniform(), .slow = some(0.1), .lost = some(0.15), .doubled = some(0.3)};
  s.temper = {.training = 0.2 + chance.uniform(), .crash = some(0.3), .repeat = some(0.6)};
  s.server_crash = some(0.02);
  s.disk_full = some(0.02);
  s.everyone_answers = chance.below(2) == 0;
  if (!s.everyone_answers) {
    s.transport.round_timeout = 2.0 + 10.0 * chance.uniform();
    s.transport.min_clients = 1 + static_cast<int>(chance.below(static_cast<std::uint32_t>(s.engine.clients)));
    s.engine.fewest = s.transport.min_clients;
    s.temper.hang = some(0.2);
    s.temper.decline = some(0.2);
    s.temper.lie = some(0.3);
    s.temper.added = 1000.0;
  }
  return s;
}

class World {
 public:
  explicit World(std::uint64_t seed, bool tells)
      : chance_({.seed = seed}), scenario_(scenario_of(chance_)), tells_(tells) {
    clock_.after_event = [this] { perhaps_crash("while it waited"); };
    for (int rank = 1; rank <= scenario_.engine.clients; ++rank) {
      clients_.push_back(
          std::make_unique<SimulatedClient>(rank, SimulatedClient::Parts{clock_, network_, chance_}, scenario_.temper));
      clients_.back()->start(3.0 * chance_.uniform());
    }
    expected_.resize(static_cast<std::size_t>(scenario_.engine.rounds) + 1);
  }

  // Plays the run to its end, through every crash. What happened is in the trace.
  void play() {
    std::filesystem::create_directories(folder_ / "checkpoint");
    const UseDisk use(disk_);
    for (int life = 1; life <= most_lives; ++life) {
      if (life == most_lives) calm_down();  // so that it ends
      if (serve()) return check_end();
      network_.disconnect();
      clock_.run_for(2.0 * chance_.uniform());
    }
    ADD_FAILURE() << "the run has not ended in " << most_lives << " lives of its server";
  }

  const std::string& trace() const { return trace_; }
  const RunOutcome& outcome() const { return outcome_; }
  int crashes() const { return crashes_; }
  int refused() const { return refused_; }

 private:
  static constexpr int most_lives = 20;

  // One life of the server; true where the run has ended.
  bool serve() {
    Board board({.clients = scenario_.engine.clients, .layout = ToyStrategy().layout(), .time = &clock_});
    try {
      network_.connect(&board);
      ToyMomentum strategy;
      BoardTransport transport(board, scenario_.transport);
      RoundStore store(folder_ / "checkpoint", "simulated");
      std::optional<SavedRun> saved = store.load();
      check_resumed(saved);
      outcome_ = Engine(scenario_.engine, {.strategy = strategy, .transport = transport, .store = &store}, observer())
                     .run(std::move(saved));
      board.finish();
      clock_.run_for(200.0);
      network_.disconnect();
      return true;
    } catch (const SimulatedDisk::Crash&) {
      note("it unwinds");
    } catch (const Error& error) {
      note(fmt::format("the server ends: {}", error.what()));
      EXPECT_NE(error.kind(), ErrorKind::input) << "the checkpoint was damaged";
    }
    if (disk_.is_dead()) {
      ++crashes_;
      const bool power = chance_.below(2) == 0;
      note(power ? "power is lost" : "the server is killed");
      disk_.restart(power);
    }
    network_.disconnect();
    return false;
  }

  Observer observer() {
    return {.on_start = [this](const RoundRecord& record) { check_round(record); },
            .on_round_start =
                [this](int round, std::span<const int> cohort) {
                  note(fmt::format("round {} begins with {}", round, fmt::join(cohort, " ")));
                  begun_ = round;
                  perhaps_crash("as a round begins");
                },
            .on_client =
                [this](int, const ClientRecord& client) {
                  note(fmt::format("client {} is accepted", client.rank));
                  perhaps_crash("as a contribution is accepted");
                },
            .on_refused =
                [this](int, const Refusal& refusal) {
                  ++refused_;
                  note(fmt::format("client {} is left out: {}", refusal.rank, refusal.reason));
                },
            .on_round =
                [this](const RoundRecord& record) {
                  check_round(record);
                  perhaps_crash("before a round is saved");
                },
            .events_bytes = {}};
  }

  // The global tensors are those that the accepted set gives, in the order of its ranks, each once.
  void check_round(const RoundRecord& record) {
    const auto round = static_cast<std::size_t>(record.round);
    std::vector<int> accepted;
    std::map<int, double> weights;
    for (const ClientRecord& client : record.accepted) {
      accepted.push_back(client.rank);
      weights[client.rank] = client.weight;
      const double added = scenario_.temper.added;  // to the weights 0 and -1 of a lie too
      EXPECT_THAT(client.weight, testing::AnyOf(10.0 + client.rank, 10.0 + client.rank + added, added, added - 1.0));
    }
    EXPECT_TRUE(std::is_sorted(accepted.begin(), accepted.end()));
    EXPECT_EQ(std::set<int>(accepted.begin(), accepted.end()).size(), accepted.size()) << "a client counts twice";
    EXPECT_TRUE(std::includes(record.cohort.begin(), record.cohort.end(), accepted.begin(), accepted.end()));
    if (record.round == 0) {
      expected_[0] = Expected();
    } else {
      expected_[round] = expected_[round - 1].after(record.round, weights);
      EXPECT_GE(accepted.size(), std::min(record.cohort.size(), static_cast<std::size_t>(scenario_.engine.fewest)));
      for (std::size_t i = 0; i < accepted.size(); ++i) {
        EXPECT_EQ(record.accepted[i].sha256, expected_[round].contributions[i]) << "of client " << accepted[i];
      }
    }
    EXPECT_EQ(record.global_sha256, expected_[round].hash()) << "after round " << round;
    note(fmt::format("round {} ends with {}: {}", round, fmt::join(accepted, " "), record.global_sha256.substr(0, 8)));
  }

  // Nothing that was saved has changed, and at most the round that was under way is played again.
  void check_resumed(const std::optional<SavedRun>& saved) {
    const int complete = saved ? saved->round : -1;
    note(fmt::format("the server goes on after round {}", complete));
    EXPECT_GE(complete + 1, begun_) << "more than one round is played again";
    if (!saved) return;
    EXPECT_EQ(final_sha256(saved->global), expected_[static_cast<std::size_t>(complete)].hash());
    for (const RoundRecord& record : saved->history) {
      EXPECT_EQ(record.global_sha256, expected_[static_cast<std::size_t>(record.round)].hash());
    }
  }

  void check_end() {
    Expected undisturbed;
    for (int round = 1; round <= scenario_.engine.rounds; ++round) {
      std::map<int, double> everyone;
      for (const int rank : choose_cohort(scenario_.engine, round)) everyone[rank] = 10.0 + rank;
      undisturbed = undisturbed.after(round, everyone);
    }
    EXPECT_EQ(final_sha256(outcome_.global), expected_.back().hash());
    if (scenario_.everyone_answers) {
      EXPECT_EQ(final_sha256(outcome_.global), undisturbed.hash()) << "it is not what an undisturbed run gives";
    }
    ASSERT_EQ(outcome_.history.size(), static_cast<std::size_t>(scenario_.engine.rounds) + 1);
    note(fmt::format("the end: {}", final_sha256(outcome_.global)));
  }

  void calm_down() {
    calm_ = true;
    network_.calm_down();
    for (auto& client : clients_) client->calm_down();
    clock_.run_for(100.0);  // whoever hangs comes back
  }

  void perhaps_crash(const char* when) {
    if (calm_ || chance_.uniform() >= scenario_.server_crash) return;
    note(fmt::format("the server crashes {}", when));
    disk_.crash();
  }
  SimulatedDisk::Fault disk_fault() {
    if (calm_) return SimulatedDisk::Fault::none;
    const double draw = chance_.uniform();
    if (draw < scenario_.server_crash) {
      note("the server crashes at a call of the disk");
      return SimulatedDisk::Fault::crash;
    }
    return draw < scenario_.server_crash + scenario_.disk_full ? SimulatedDisk::Fault::full
                                                               : SimulatedDisk::Fault::none;
  }

  void note(std::string text) {
    const std::string place = folder_.path().string();  // another each time
    if (const auto at = text.find(place); at != std::string::npos) text.erase(at, place.size());
    const std::string line = fmt::format("{:9.3f}  {}\n", clock_.seconds(), text);
    if (tells_) fmt::print("{}", line);
    trace_ += line;
  }

  RandomStream chance_;
  const Scenario scenario_;
  const bool tells_;
  TemporaryFolder folder_;
  VirtualClock clock_;
  SimulatedNetwork network_{clock_, chance_, scenario_.weather};
  SimulatedDisk disk_{folder_ / "checkpoint", [this] { return disk_fault(); }, chance_};
  std::vector<std::unique_ptr<SimulatedClient>> clients_;
  std::vector<Expected> expected_;  // by round, as it was last played
  RunOutcome outcome_;
  std::string trace_;
  int begun_ = 0;
  int crashes_ = 0;
  int refused_ = 0;
  bool calm_ = false;
};

class Simulation : public testing::Test {
 protected:
  Simulation() {
    set_log_writer([](std::string_view) {});
  }
  ~Simulation() override { set_log_writer({}); }
};

TEST_F(Simulation, EverySeedKeepsWhatIsPromised) {
  const int alone = number_of("FEDTUNE_SIMULATION_SEED", -1);
  const int first = alone >= 0 ? alone : 0;
  const int last = alone >= 0 ? alone : number_of("FEDTUNE_SIMULATION_SEEDS", usual_seeds) - 1;
  int crashes = 0, refused = 0;
  for (int seed = first; seed <= last; ++seed) {
    World world(static_cast<std::uint64_t>(seed), alone >= 0);
    try {
      world.play();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    crashes += world.crashes();
    refused += world.refused();
    if (HasFailure()) {
      FAIL() << "seed " << seed << "; FEDTUNE_SIMULATION_SEED=" << seed << " plays it again. What happened:\n"
             << world.trace();
    }
  }
  if (alone >= 0) return;
  // The worlds are as bad as they are meant to be.
  EXPECT_GT(crashes, last / 2);
  EXPECT_GT(refused, last / 2);
}

TEST_F(Simulation, ASeedAlwaysTakesTheSameCourse) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    World one(seed, false), two(seed, false);
    one.play();
    two.play();
    EXPECT_EQ(one.trace(), two.trace()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fedtune::fed
