// Which set of kernels runs: the widest the processor has, found once.
#pragma once

#include <string_view>
#include <vector>

#include "fedtune/nn/kernels/kernels.h"

namespace fedtune::nn::kernels {

// The sets this processor can run, the one in use first.
const std::vector<const Kernels*>& available();

// The set of that name among them, or null.
const Kernels* find(std::string_view name);

// The set in use on this thread.
const Kernels& active();

// In use on every thread from now on. Call in main, before anything is packed.
void use_on_all_threads(const Kernels& kernels);

// While one is alive, this thread runs `kernels`: for tests, which compare the sets.
class UseKernels {
 public:
  explicit UseKernels(const Kernels& kernels);
  ~UseKernels();
  UseKernels(const UseKernels&) = delete;
  UseKernels& operator=(const UseKernels&) = delete;

 private:
  const Kernels* before_;
};

}  // namespace fedtune::nn::kernels
