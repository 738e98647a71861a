// The matrix unit of Intel's processors (AMX).
#pragma once

namespace fedtune::nn::kernels {

// Whether the processor has it for bf16 and the operating system lets this process use it. Asked once.
bool matrix_unit_granted();

}  // namespace fedtune::nn::kernels
