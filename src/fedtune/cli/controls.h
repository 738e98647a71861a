// --compare-central: the same work without a federation.
#pragma once

#include <vector>

#include "fedtune/cli/federation.h"
#include "fedtune/report/progress.h"
#include "fedtune/report/results.h"
#include "fedtune/train/evaluate.h"
#include "fedtune/worker/client_worker.h"

namespace fedtune::cli {

train::EvaluateOptions evaluate_options(const Options& options);
worker::ClientOptions client_options(const Options& options);
worker::Shares shares_of(const Federation& federation);

// Final scores of one party with all shares ("centralised"), of each client alone ("local-1", ...) and their mean
// ("local"). Throws Interrupted.
std::vector<report::Control> run_controls(const Options& options, const Federation& federation,
                                          report::Progress& progress);

}  // namespace fedtune::cli
