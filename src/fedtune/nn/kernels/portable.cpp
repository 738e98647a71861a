// Compiled for the oldest processor the program supports.
#define FEDTUNE_KERNELS portable
#define FEDTUNE_VECTOR_BYTES 16
#include "fedtune/nn/kernels/implementation.h"
