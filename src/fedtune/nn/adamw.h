// One step of AdamW in one pass over memory.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace fedtune::nn {

// The step of `train/adamw.h`, its constants worked out in double for one count of steps.
struct AdamWConstants {
  float mean_share;    // 1 - beta1
  float square_kept;   // beta2
  float square_share;  // 1 - beta2
  float eps;
  float kept;             // 1 - lr * weight decay
  float step;             // lr / (1 - beta1^t)
  float root_correction;  // 1 / sqrt(1 - beta2^t)
};

// One parameter with its moments, as rows of its first dimension.
struct AdamWSlot {
  const at::Tensor& parameter;
  const at::Tensor& gradient;
  const at::Tensor& mean;
  const at::Tensor& square;
  // Which rows ever had a gradient; the others, whose moments are 0 and which nothing moves, are not touched. Empty:
  // every row is taken.
  std::vector<char>& moved;
  // The moments are 0, whatever lies there, and this step writes them. Only where `moved` is empty.
  bool first;
};

// Whether adamw_step takes such a parameter: fp32, dense, on the CPU.
bool takes_adamw_step(const at::Tensor& parameter);

void adamw_step(const AdamWSlot& slot, const AdamWConstants& constants);

}  // namespace fedtune::nn
