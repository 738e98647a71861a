// exp, tanh and GELU on vectors, about 2e-7 relative. The polynomials are least-squares fits, reweighted to level the
// error.
#pragma once

#include "fedtune/nn/kernels/simd.h"

namespace fedtune::nn::kernels::FEDTUNE_KERNELS {
namespace {

// e^x for x <= 0; 0 below -87. x = n ln 2 + r, |r| <= ln 2 / 2.
FEDTUNE_INLINE Floats exp_of_negative(Floats x) {
  const Floats bounded = max(broadcast(-87.0f), x);
  const Floats shifter = broadcast(0x1.8p23f);  // adding it rounds to the nearest integer
  const Floats shifted = bounded * 1.44269504f + shifter;
  const Floats n = shifted - shifter;
  const Floats r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = r * 1.381459762e-03f + 8.368716575e-03f;
  p = p * r + 4.166838899e-02f;
  p = p * r + 1.666652113e-01f;
  p = p * r + 4.999999404e-01f;
  p = (p * r) * r + r + 1.0f;
  const Floats y = (Floats)((Words)p + ((Words)shifted << 23));  // p * 2^n
  return x < broadcast(-87.0f) ? Floats{} : y;
}

// x + x^3 P(x^2) up to 0.625, from there (1 - t) / (1 + t) with t = e^(-2 |x|).
FEDTUNE_INLINE Floats tanh(Floats x) {
  const Floats a = x < 0.0f ? -x : x;
  const Floats z = x * x;
  Floats p = z * -5.667239234e-03f + 2.060641020e-02f;
  p = p * z - 5.373007812e-02f;
  p = p * z + 1.333133184e-01f;
  p = p * z - 3.333327809e-01f;
  const Floats t = exp_of_negative(a * -2.0f);
  const Floats far = 1.0f - 2.0f * t / (1.0f + t);
  return a < 0.625f ? x + x * z * p : (x < 0.0f ? -far : far);
}

struct Gelu {
  Floats value, derivative;
};

// x Phi(x) and Phi(x) + x phi(x). With a = |x|: Phi(-a) = e^(-a^2 / 2) Q(a), Q a polynomial in 1 / (1 + 0.35 a).
FEDTUNE_INLINE Gelu gelu(Floats x) {
  const Floats a = x < 0.0f ? -x : x;
  const Floats u = 1.0f / (a * 0.35f + 1.0f);
  Floats q = u * -2.804565057e-02f + 1.382582188e-01f;
  q = q * u - 2.429455370e-01f;
  q = q * u + 1.431037337e-01f;
  q = q * u - 1.059738360e-02f;
  q = q * u + 9.927862138e-02f;
  q = q * u + 1.218094677e-01f;
  q = q * u + 1.394775510e-01f;
  q = q * u + 1.396628469e-01f;
  q = q * u - 1.886612040e-06f;
  const Floats density = exp_of_negative(x * x * -0.5f);  // times sqrt(2 pi)
  const Floats tail = density * q;
  const Floats phi = x < 0.0f ? tail : 1.0f - tail;
  return {x * phi, phi + x * (density * 0.398942280f)};
}

}  // namespace
}  // namespace fedtune::nn::kernels::FEDTUNE_KERNELS
