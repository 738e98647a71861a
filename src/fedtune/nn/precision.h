// What the products of frozen weights are computed in.
#pragma once

#include "fedtune/nn/weights.h"

namespace fedtune::nn {

// bf16 rounds both operands of a product to bf16 and adds in fp32; all between two products stays in fp32.
enum class Precision { fp32, bf16 };

// As freeze(weight). bf16 where kernels::bf16_support() has it, else throws Error(usage).
void freeze(LinearWeight& weight, Precision precision);

}  // namespace fedtune::nn
