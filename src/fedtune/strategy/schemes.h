// The schemes a run can follow, by the name the command line gives them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "fedtune/fed/strategy.h"
#include "fedtune/strategy/fedavg.h"

namespace fedtune::strategy {

struct Scheme {
  std::string_view name;   // "fedavg"
  train::Trained trained;  // what its clients train and send
  std::function<std::unique_ptr<fed::Strategy>(std::shared_ptr<const train::StudentTemplate>, const Validation&)> make;
};

std::span<const Scheme> schemes();
// Throws Error(usage) naming the known schemes.
const Scheme& scheme_named(std::string_view name);

}  // namespace fedtune::strategy
