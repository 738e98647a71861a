#include "fedtune/cli/resume.h"

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/sha256.h"
#include "fedtune/cli/option_table.h"
#include "fedtune/cli/resolve.h"

namespace fedtune::cli {
namespace {

// Copies the options of `line` that are of one kind.
void copy_given(const CommandLine& line, OnResume kind, Options& into) {
  for (const OptionSpec& spec : option_table()) {
    if (spec.on_resume == kind && line.given.contains(spec.name)) copy_option(spec, line.options, into);
  }
}

}  // namespace

Options resumed_options(const CommandLine& line, const RunFolder& folder) {
  Options stored;
  set_options(read_config(folder.config()), stored);

  Options asked = stored;
  copy_given(line, OnResume::must_match, asked);
  asked = resolve_for_run(asked);
  std::string differences;
  for (const OptionSpec& spec : option_table()) {
    if (spec.on_resume == OnResume::may_differ || spec.get(asked) == spec.get(stored)) continue;
    differences += fmt::format("{}--{} {} (the run has {})", differences.empty() ? "" : ", ", spec.name,
                               value_text(spec.get(asked)), value_text(spec.get(stored)));
  }
  if (!differences.empty()) {
    throw usage_error("--resume {}: other options would change its results: {}; leave them out, or start another run",
                      folder.path().string(), differences);
  }
  copy_given(line, OnResume::may_differ, stored);
  return stored;
}

// What is as it is by default is left out, so that an option that a later version adds changes no hash.
std::string configuration_hash(const Options& options) {
  const Options defaults;
  Sha256 hash;
  for (const OptionSpec& spec : option_table()) {
    if (spec.on_resume == OnResume::may_differ || spec.get(options) == spec.get(defaults)) continue;
    hash.update(fmt::format("{} = {}\n", spec.name, spec.get(options).dump()));
  }
  return hash.hex();
}

}  // namespace fedtune::cli
