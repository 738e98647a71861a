// A configuration in TOML: read, written as a run's config.toml, and read to the same options.
#include "support.h"

#include "fedtune/cli/command_line.h"

FEDTUNE_FUZZ_TARGET(config_toml) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  const auto options_in = [&](std::string_view text) {
    cli::Options options;
    cli::set_options(cli::read_config(scratch.write("config.toml", text)), options);
    return options;
  };
  const auto options = fuzz::accepted([&] { return options_in(fuzz::text_of(data, size)); });
  if (!options) return 0;
  const std::string written = cli::config_text(*options);
  fuzz::require(cli::config_text(options_in(written)) == written, "options are written as they were read");
  return 0;
}
