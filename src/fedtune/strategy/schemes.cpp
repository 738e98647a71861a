#include "fedtune/strategy/schemes.h"

#include <array>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/strategy/fedkdlora.h"
#include "fedtune/strategy/fedlora.h"

namespace fedtune::strategy {
namespace {

template <typename Rule>
std::unique_ptr<fed::Strategy> make(SchemeParts parts) {
  return std::make_unique<Rule>(std::move(parts.student), parts.validation);
}

std::unique_ptr<fed::Strategy> make_distilling(SchemeParts parts) {
  if (!parts.distiller) throw failed("making fedkdlora: it has no teacher");
  return std::make_unique<FedKdLora>(std::move(parts.student), parts.validation, std::move(*parts.distiller));
}

}  // namespace

std::span<const Scheme> schemes() {
  static const std::array<Scheme, 3> table = {{
      {.name = "fedavg", .trained = train::Trained::all_parameters, .make = make<FedAvg>},
      {.name = "fedlora", .trained = train::Trained::adapters, .make = make<FedLora>},
      {.name = "fedkdlora", .trained = train::Trained::adapters, .distils = true, .make = make_distilling},
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
