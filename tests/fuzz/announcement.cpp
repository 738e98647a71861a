// A run's options as its server announces them to a client.
#include "support.h"

#include "fedtune/cli/enrolment.h"

FEDTUNE_FUZZ_TARGET(announcement) {
  using namespace fedtune;
  const auto enrolled = [](const std::string& announced) { return cli::enrolled_options({}, announced); };
  const auto options = fuzz::accepted([&] { return enrolled(std::string(fuzz::text_of(data, size))); });
  if (!options) return 0;
  const std::string announced = cli::announced_options(*options);
  fuzz::require(cli::announced_options(enrolled(announced)) == announced, "options are announced as they were heard");
  return 0;
}
