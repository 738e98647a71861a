#include "fedtune/cli/step_profile.h"

#include <fmt/format.h>

#include "fedtune/base/profile.h"
#include "fedtune/report/profile_text.h"

namespace fedtune::cli {

void start_step_profile(const Options& options) {
  if (options.run.profile) start_profile();
}

void print_step_profile(const Options& options) {
  if (options.run.profile && !options.run.quiet) fmt::print("{}", report::profile_text(profile()));
}

}  // namespace fedtune::cli
