// Reports as files: the page of a run beside its results.
#pragma once

#include "fedtune/cli/run_folder.h"
#include "fedtune/report/results.h"

namespace fedtune::cli {

// Writes the page of a run that is about to finish into its folder; its events are complete. Throws Error(failed).
void write_report(const report::RunResults& results, const RunFolder& folder);

}  // namespace fedtune::cli
