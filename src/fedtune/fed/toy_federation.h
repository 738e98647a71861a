// For tests: a federation of a few numbers, with clients that can be told to misbehave.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fedtune/aggregate/admission.h"
#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/aggregate/weighted_mean.h"
#include "fedtune/base/random.h"
#include "fedtune/fed/local_task.h"
#include "fedtune/fed/strategy.h"
#include "fedtune/fed/transport.h"

namespace fedtune::fed {

inline constexpr std::uint64_t toy_seed = 5;
inline constexpr std::size_t toy_size = 1000;

inline NamedTensors toy_tensors(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return test_tensors({{"w", {size}, std::move(values)}});
}

// "Training" adds noise drawn from seed, round and rank: a function of the instruction, as real training is.
inline Update toy_update(const Instruction& instruction) {
  RandomStream stream({.seed = toy_seed,
                       .round = static_cast<std::uint32_t>(instruction.round),
                       .rank = static_cast<std::uint32_t>(instruction.rank)});
  const std::span<const float> global = instruction.global.find("w")->f32();
  std::vector<float> values(global.begin(), global.end());
  for (float& value : values) value += static_cast<float>(stream.normal());
  return {.round = instruction.round,
          .rank = instruction.rank,
          .tensors = toy_tensors(std::move(values)),
          .weight = 10.0 + instruction.rank,
          .report = {.sentences = 100, .batches = 4, .tokens = 900, .loss = 0.5, .seconds = 0.001}};
}

class ToyTask : public LocalTask {
 public:
  // Called with each instruction before it is answered; may throw or change the update.
  using Behaviour = std::function<void(const Instruction&, Update&)>;

  explicit ToyTask(Behaviour behaviour = {}) : behaviour_(std::move(behaviour)) {}

  Update train(const Instruction& instruction, const std::function<bool()>&) override {
    Update update = toy_update(instruction);
    // Ranks finish in another order than they began.
    RandomStream pause({.seed = toy_seed,
                        .round = static_cast<std::uint32_t>(instruction.round),
                        .rank = static_cast<std::uint32_t>(instruction.rank),
                        .step = 1});
    std::this_thread::sleep_for(std::chrono::microseconds(pause.below(2000)));
    if (behaviour_) behaviour_(instruction, update);
    return update;
  }

 private:
  Behaviour behaviour_;
};

// Averages; scores the mean of the values.
class ToyStrategy : public Strategy {
 public:
  const Layout& layout() const override { return layout_; }
  NamedTensors initial() override { return toy_tensors(std::vector<float>(toy_size, 0.25f)); }
  Status admit(const Update& update) const override {
    return aggregate::check_contribution(layout_, {.tensors = update.tensors, .weight = update.weight});
  }
  NamedTensors aggregate(int, const NamedTensors&, std::span<const Update> accepted) override {
    std::vector<aggregate::Contribution> contributions;
    for (const Update& update : accepted) contributions.push_back({update.rank, update.weight, &update.tensors});
    return aggregate::weighted_mean(contributions);
  }
  Evaluation evaluate(int, const NamedTensors& global) override {
    ++evaluations;
    double sum = 0.0;
    for (const float value : global.find("w")->f32()) sum += value;
    return {.loss = sum / toy_size, .accuracy = 0.5, .sentences = 7, .teacher = {}};
  }

  int evaluations = 0;

 private:
  Layout layout_{{"w", DType::f32, {toy_size}}};
};

// Adds what the server has gathered over the rounds: a strategy that keeps something between them, until `last_change`.
class ToyMomentum : public ToyStrategy {
 public:
  explicit ToyMomentum(int last_change = 1000) : last_change_(last_change) {}

  NamedTensors refine(int round, NamedTensors aggregated) override {
    const std::span<const float> mean = aggregated.find("w")->f32();
    std::vector<float> values(mean.begin(), mean.end());
    if (round <= last_change_) {
      since_ = round;
      for (std::size_t i = 0; i < toy_size; ++i) velocity_[i] = 0.5f * velocity_[i] + values[i];
    }
    for (std::size_t i = 0; i < toy_size; ++i) values[i] += velocity_[i];
    return toy_tensors(std::move(values));
  }
  StrategyState state() const override {
    return since_ == 0 ? StrategyState{} : StrategyState{.since = since_, .tensors = toy_tensors(velocity_)};
  }
  void restore(const StrategyState& state) override {
    since_ = state.since;
    if (since_ == 0) return;
    const std::span<const float> saved = state.tensors.find("w")->f32();
    velocity_.assign(saved.begin(), saved.end());
  }

 private:
  int last_change_;
  int since_ = 0;
  std::vector<float> velocity_ = std::vector<float>(toy_size);
};

// Delivers what the task answers in an order of its own, and whatever else a test slips in.
class ScriptedTransport : public Transport {
 public:
  using Script = std::function<void(std::vector<Update>& updates)>;

  explicit ScriptedTransport(LocalTask& task, Script script = {}) : task_(task), script_(std::move(script)) {}

  void exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                const std::function<void(Update)>& on_update,
                const std::function<void(int, const std::string&)>& on_failure) override {
    ++exchanges;
    std::vector<Update> updates;
    for (const int rank : cohort) {
      try {
        updates.push_back(task_.train({.round = round, .rank = rank, .global = global}, [] { return false; }));
      } catch (const std::runtime_error& error) {
        on_failure(rank, error.what());
      }
    }
    if (script_) script_(updates);
    for (Update& update : updates) on_update(std::move(update));
  }
  ErrorKind failure_kind() const override { return ErrorKind::network; }

  int exchanges = 0;

 private:
  LocalTask& task_;
  Script script_;
};

}  // namespace fedtune::fed
