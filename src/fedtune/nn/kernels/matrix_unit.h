// The matrix unit of Intel's processors (AMX).
#pragma once

namespace fedtune::nn::kernels {

// Whether the processor has it and the operating system lets this process use it. Asked once. What it multiplies is
// among the processor's features.
bool matrix_unit_granted();

}  // namespace fedtune::nn::kernels
