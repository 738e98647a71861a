// What a federated scheme decides; the engine does the rest.
#pragma once

#include <optional>
#include <span>

#include "fedtune/base/status.h"
#include "fedtune/fed/types.h"

namespace fedtune::fed {

// Called from the engine's thread only.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // The tensors that travel: names, types, shapes, in wire order. Constant over a run.
  virtual const Layout& layout() const = 0;
  // The global tensors before round 1, drawn from the run seed.
  virtual NamedTensors initial() = 0;
  // Whether a contribution may enter the aggregate (names, shapes, finite, weight); the reason where it may not.
  virtual Status admit(const Update& update) const = 0;
  // New global tensors from the accepted contributions of one round, sorted by rank. Must not depend on their arrival.
  virtual NamedTensors aggregate(int round, const NamedTensors& global, std::span<const Update> accepted) = 0;
  // Server-side work on the aggregate (distillation); the default changes nothing.
  virtual NamedTensors refine(int round, NamedTensors aggregated) { return aggregated; }
  // What must outlive the process for the next round to give the same bits. The views are valid until the next call.
  virtual StrategyState state() const { return {}; }
  // Puts back what state() gave after the last saved round; called before the first round of a resumed run. Throws
  // Error(input) when it does not fit.
  virtual void restore(const StrategyState& /*state*/) {}
  // Scores the global model once, for all.
  virtual Evaluation evaluate(int round, const NamedTensors& global) = 0;
};

}  // namespace fedtune::fed
