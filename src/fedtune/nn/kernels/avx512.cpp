// Compiled for AVX-512 F, BW, DQ and VL with FMA (CMakeLists.txt of the layers): run only where select.cpp found them.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS avx512
#define FEDTUNE_VECTOR_BYTES 64
#include "fedtune/nn/kernels/implementation.h"
#endif
