#include "fedtune/strategy/schemes.h"

#include <array>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/strategy/fedlora.h"

namespace fedtune::strategy {
namespace {

template <typename Rule>
std::unique_ptr<fed::Strategy> make(std::shared_ptr<const train::StudentTemplate> student,
                                    const Validation& validation) {
  return std::make_unique<Rule>(std::move(student), validation);
}

}  // namespace

std::span<const Scheme> schemes() {
  static const std::array<Scheme, 2> table = {{
      {"fedavg", train::Trained::all_parameters, make<FedAvg>},
      {"fedlora", train::Trained::adapters, make<FedLora>},
  }};
  return table;
}

const Scheme& scheme_named(std::string_view name) {
  std::string known;
  for (const Scheme& scheme : schemes()) {
    if (scheme.name == name) return scheme;
    known += (known.empty() ? "" : ", ") + std::string(scheme.name);
  }
  throw usage_error("scheme '{}' is not known; this program has {}", name, known);
}

}  // namespace fedtune::strategy
