#include "fedtune/strategy/fedlora.h"

#include <string_view>

#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>

#include "fedtune/io/parameters.h"

namespace fedtune::strategy {
namespace {

constexpr std::string_view kSuffixA = ".lora_A.weight";
constexpr std::string_view kSuffixB = ".lora_B.weight";

at::Tensor tensor_named(const NamedTensors& tensors, const std::string& name) {
  return io::tensor_from(*tensors.find(name), tensors.owner);
}

// The clients' products summed in one multiplication: [p_1 B_1 ... p_K B_K] [A_1; ...; A_K].
at::Tensor mean_product(const std::string& layer, std::span<const fed::Update> accepted) {
  double total = 0.0;
  for (const fed::Update& update : accepted) total += update.weight;
  std::vector<at::Tensor> a;
  std::vector<at::Tensor> b;
  for (const fed::Update& update : accepted) {
    a.push_back(tensor_named(update.tensors, layer + std::string(kSuffixA)));
    b.push_back(tensor_named(update.tensors, layer + std::string(kSuffixB)) * (update.weight / total));
  }
  return at::matmul(at::cat(b, 1), at::cat(a, 0));  // [out, in]
}

AveragingError averaging_error(const std::string& layer, const NamedTensors& mean,
                               std::span<const fed::Update> accepted) {
  const at::Tensor wanted = mean_product(layer, accepted);
  const at::Tensor got = at::matmul(tensor_named(mean, layer + std::string(kSuffixB)),
                                    tensor_named(mean, layer + std::string(kSuffixA)));  // [out, in]
  const double size = wanted.norm().item<double>();
  const double difference = (got - wanted).norm().item<double>();
  return {.layer = layer, .relative = size > 0.0 ? difference / size : 0.0};
}

}  // namespace

NamedTensors FedLora::aggregate(int round, const NamedTensors& global, std::span<const fed::Update> accepted) {
  NamedTensors mean = FedAvg::aggregate(round, global, accepted);
  errors_.clear();
  for (const TensorView& tensor : mean.tensors) {
    if (!tensor.name.ends_with(kSuffixA)) continue;
    errors_.push_back(averaging_error(tensor.name.substr(0, tensor.name.size() - kSuffixA.size()), mean, accepted));
  }
  return mean;
}

}  // namespace fedtune::strategy
