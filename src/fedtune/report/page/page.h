// A report: one HTML page that needs nothing beside it, and the same figures as CSV.
#pragma once

#include <string>

#include "fedtune/report/page/study.h"

namespace fedtune::report {

// Complete and self-contained: no script, nothing fetched, light or dark as the reader's system is.
std::string to_page(const Study& study);

// One line per run and round (RFC 4180), in full precision; what a run does not have is empty.
std::string to_csv(const Study& study);

}  // namespace fedtune::report
