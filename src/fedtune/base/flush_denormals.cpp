#include "fedtune/base/flush_denormals.h"

#include <immintrin.h>

namespace fedtune {
namespace {

constexpr unsigned flush_to_zero = 0x8000;
constexpr unsigned denormals_are_zero = 0x0040;

}  // namespace

FlushDenormals::FlushDenormals() noexcept : before_(_mm_getcsr()) {
  _mm_setcsr(before_ | flush_to_zero | denormals_are_zero);
}

FlushDenormals::~FlushDenormals() {
  _mm_setcsr(before_);
}

}  // namespace fedtune
