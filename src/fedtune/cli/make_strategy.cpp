#include "fedtune/cli/make_strategy.h"

#include <utility>

#include "fedtune/cli/controls.h"
#include "fedtune/cli/option_values.h"
#include "fedtune/cli/teacher.h"
#include "fedtune/strategy/schemes.h"

namespace fedtune::cli {

std::unique_ptr<fed::Strategy> make_strategy(const Options& options, const Federation& federation,
                                             std::function<void(double loss)> on_distil_step) {
  strategy::SchemeParts parts{.student = federation.student,
                              .validation = {federation.data.validation, evaluate_options(options)}};
  if (federation.teacher) {
    parts.distiller.emplace(make_distiller(options, federation, std::move(on_distil_step)));
  }
  return strategy::scheme_named(word(options.federation.scheme)).make(std::move(parts));
}

}  // namespace fedtune::cli
