// AdamW (Loshchilov and Hutter 2019) in torch's form: step = lr * m_hat / (sqrt(v_hat) + eps).
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace fedtune::train {

struct AdamWOptions {
  double lr = 5e-5;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-6;
  double weight_decay = 0.0;  // per unit of lr
};

// The optimiser of one phase: its moments start at 0 and end with it. Not for use from two threads at once.
class AdamW {
 public:
  // fused: one pass over memory, on the CPU (nn/adamw.h). plain: torch's elementwise operations, anywhere. They agree
  // to rounding.
  enum class Form { fused, plain };

  // `parameters` are leaves that need gradients, fp32, on one device; device and layout choose the form.
  AdamW(const std::vector<at::Tensor>& parameters, const AdamWOptions& options);
  AdamW(const std::vector<at::Tensor>& parameters, const AdamWOptions& options, Form form);

  // Moves every parameter that has a gradient, at learning rate `lr`, and drops the gradients.
  void step(double lr);

  // The same bits for the gradients that `backward` computes by one backward pass, in less memory: each parameter takes
  // its step as soon as its own gradient is there, and the next gradient takes its place (as Lv et al. 2023, "Full
  // Parameter Fine-tuning for Large Language Models with Limited Resources", do without moments). What `backward`
  // throws leaves some parameters moved and others not.
  void step_during(const std::function<void()>& backward, double lr);

  // Both moments and the count of steps of each parameter, in order: what a phase that is cut needs to go on. They are
  // the optimiser's own tensors.
  std::vector<at::Tensor> state() const;
  // Puts back what state() gave, from any device. Throws Error(input) when it does not fit.
  void restore(const std::vector<at::Tensor>& state);

 private:
  struct Slot {
    at::Tensor parameter;
    at::Tensor mean;            // of the gradient, decaying by beta1
    at::Tensor square;          // of its square, by beta2
    at::Tensor steps;           // scalar, on the CPU
    bool unwritten;             // the moments are 0, whatever lies there: their first step writes them
    std::vector<char> moved{};  // see nn::AdamWSlot
  };
  class StepHook;
  void step_slot(Slot& slot, double lr) const;
  void step_fused(Slot& slot, double lr) const;
  void step_plain(Slot& slot, double lr) const;

  std::vector<Slot> slots_;
  AdamWOptions options_;
  Form form_;
};

}  // namespace fedtune::train
