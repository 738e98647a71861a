// The server's side of a federation that distils: the teacher, fitted to the student, and the work on it.
#pragma once

#include <functional>

#include <c10/core/Device.h>

#include "fedtune/cli/federation.h"
#include "fedtune/strategy/distiller.h"

namespace fedtune::cli {

// Loads the teacher of `options` for the student, sentences and shares of `federation`, and adds what is to be told to
// its notes. Throws Error(usage) when the two models cannot be compared, when the teacher does not know the student's
// token ids or positions, or when the public share is too small; Error(input) as models::load_checkpoint.
Teacher load_teacher(const Options& options, Federation& federation, c10::Device device);

// `federation` has a teacher and outlives the distiller, which ends with Interrupted once a signal has arrived.
strategy::Distiller make_distiller(const Options& options, const Federation& federation,
                                   std::function<void(double loss)> on_step);

}  // namespace fedtune::cli
