#include "fedtune/nn/kernels/matrix_unit.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "fedtune/base/cpu.h"

namespace fedtune::nn::kernels {

// Linux gives a process the tiles' 8 kB of state when it asks (Documentation/arch/x86/xstate.rst).
bool matrix_unit_granted() {
#if defined(__x86_64__)
  constexpr long request_permission = 0x1023;
  constexpr long tile_data = 18;
  static const bool granted = (cpu_features().amx_bf16 || cpu_features().amx_int8) &&
                              ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return granted;
#else
  return false;
#endif
}

}  // namespace fedtune::nn::kernels
