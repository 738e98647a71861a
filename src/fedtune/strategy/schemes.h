// The schemes a run can follow, by the name the command line gives them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "fedtune/fed/strategy.h"
#include "fedtune/strategy/distiller.h"
#include "fedtune/strategy/fedavg.h"

namespace fedtune::strategy {

// What a strategy is made of.
struct SchemeParts {
  std::shared_ptr<const train::StudentTemplate> student;
  Validation validation{};
  std::optional<Distiller> distiller{};  // where the scheme distils
};

struct Scheme {
  std::string_view name;   // "fedavg"
  train::Trained trained;  // what its clients train and send
  bool distils = false;    // whether its server has a teacher and a public share
  std::function<std::unique_ptr<fed::Strategy>(SchemeParts)> make;
};

std::span<const Scheme> schemes();
// Throws Error(usage) naming the known schemes.
const Scheme& scheme_named(std::string_view name);

}  // namespace fedtune::strategy
