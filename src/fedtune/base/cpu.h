// What this processor and operating system can run.
#pragma once

#include <string>

namespace fedtune {

struct CpuFeatures {
  bool avx2_fma = false;
  bool avx512 = false;  // f, bw, vl and dq together
  bool avx512_bf16 = false;
  bool avx512_fp16 = false;
  bool amx_bf16 = false;  // the processor has it; the kernel grants its state on request
  bool amx_int8 = false;  // likewise
  bool amd = false;       // who made it: the same instruction has other speeds
};

// Asked of the processor once; a feature whose registers the operating system does not save is absent.
const CpuFeatures& cpu_features();

// "Intel(R) Xeon(R) Platinum 8488C"; "unknown" where the system does not say.
std::string cpu_model_name();

// "avx2 avx512 avx512_bf16"; "baseline" for none.
std::string describe(const CpuFeatures& features);

}  // namespace fedtune
