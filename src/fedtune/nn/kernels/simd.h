// Vectors as wide as the instruction set this is compiled for. Included inside one translation unit per set, after
// FEDTUNE_KERNELS (the set's namespace) and FEDTUNE_VECTOR_BYTES are defined. All functions have internal linkage.
#pragma once

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

typedef float Floats __attribute__((vector_size(FEDTUNE_VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(FEDTUNE_VECTOR_BYTES)));
typedef uint32_t Words __attribute__((vector_size(FEDTUNE_VECTOR_BYTES)));
typedef uint64_t LongWords __attribute__((vector_size(FEDTUNE_VECTOR_BYTES)));
typedef float UnalignedFloats __attribute__((vector_size(FEDTUNE_VECTOR_BYTES), aligned(4), may_alias));

constexpr int64_t lanes = FEDTUNE_VECTOR_BYTES / 4;

#define FEDTUNE_INLINE static inline __attribute__((always_inline))

FEDTUNE_INLINE Floats broadcast(float x) {
  return x - Floats{};
}

FEDTUNE_INLINE Floats load(const float* from) {
  return *reinterpret_cast<const UnalignedFloats*>(from);
}
FEDTUNE_INLINE void store(float* to, Floats x) {
  *reinterpret_cast<UnalignedFloats*>(to) = x;
}

// The first `count` elements, the rest 0; `count` is `lanes` in all but the last vector of a row.
FEDTUNE_INLINE Floats load(const float* from, int64_t count) {
  if (count == lanes) return load(from);
  Floats x{};
  for (int64_t i = 0; i < count; ++i) x[i] = from[i];
  return x;
}
FEDTUNE_INLINE void store(float* to, Floats x, int64_t count) {
  if (count == lanes) return store(to, x);
  for (int64_t i = 0; i < count; ++i) to[i] = x[i];
}

// A number as a type, to unroll by.
template <int number>
struct Constant {
  static constexpr int value = number;
};

// body(first, count) for each vector of a row.
template <typename Body>
FEDTUNE_INLINE void for_each_vector(int64_t features, Body body) {
  int64_t first = 0;
  for (; first + lanes <= features; first += lanes) body(first, lanes);
  if (first < features) body(first, features - first);
}

// b where either is not a number.
FEDTUNE_INLINE Floats max(Floats a, Floats b) {
  return a > b ? a : b;
}

FEDTUNE_INLINE Floats sqrt(Floats x) {
#if defined(__x86_64__) && FEDTUNE_VECTOR_BYTES == 64
  return (Floats)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)x);
#elif defined(__x86_64__) && FEDTUNE_VECTOR_BYTES == 32
  return (Floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (Floats)_mm_sqrt_ps((__m128)x);
#else
  for (int64_t i = 0; i < lanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// The vector's halves combined until one element is left.
template <typename Combine>
FEDTUNE_INLINE float fold(Floats x, Combine combine) {
#if FEDTUNE_VECTOR_BYTES == 64
  x = combine(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  x = combine(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  x = combine(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  x = combine(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif FEDTUNE_VECTOR_BYTES == 32
  x = combine(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
  x = combine(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5));
  x = combine(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  x = combine(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));
  x = combine(x, __builtin_shufflevector(x, x, 1, 0, 3, 2));
#endif
  return x[0];
}

FEDTUNE_INLINE float sum(Floats x) {
  return fold(x, [](Floats a, Floats b) { return a + b; });
}
FEDTUNE_INLINE float max(Floats x) {
  return fold(x, [](Floats a, Floats b) { return max(a, b); });
}

// Full 64-bit products of the even elements.
FEDTUNE_INLINE LongWords multiply_even(Words a, Words b) {
#if defined(__x86_64__) && FEDTUNE_VECTOR_BYTES == 64
  return (LongWords)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, (__m512i)b);
#elif defined(__x86_64__) && FEDTUNE_VECTOR_BYTES == 32
  return (LongWords)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (LongWords)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  LongWords product;
  for (int64_t i = 0; i < lanes / 2; ++i) product[i] = uint64_t{a[2 * i]} * b[2 * i];
  return product;
#endif
}

// Elements 3, 2, 1, 0 of each group of four.
FEDTUNE_INLINE Words reverse_fours(Words x) {
#if FEDTUNE_VECTOR_BYTES == 64
  return __builtin_shufflevector(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
#elif FEDTUNE_VECTOR_BYTES == 32
  return __builtin_shufflevector(x, x, 3, 2, 1, 0, 7, 6, 5, 4);
#else
  return __builtin_shufflevector(x, x, 3, 2, 1, 0);
#endif
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
