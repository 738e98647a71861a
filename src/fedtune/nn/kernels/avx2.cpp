// Compiled for AVX2 with FMA (CMakeLists.txt of the layers): run only where select.cpp found them.
#if defined(__x86_64__)
#define FEDTUNE_KERNELS avx2
#define FEDTUNE_VECTOR_BYTES 32
#include "fedtune/nn/kernels/implementation.h"
#endif
