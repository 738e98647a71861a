#include "fedtune/train/trained_leaves.h"

namespace fedtune::train {

std::vector<at::Tensor> trained_leaves(const models::SequenceClassifier& model) {
  std::vector<at::Tensor> leaves;
  const auto take = [&leaves](const at::Tensor& tensor) {
    if (tensor.defined() && tensor.requires_grad()) leaves.push_back(tensor);
  };
  for (const io::Parameter& parameter : model.parameters()) take(parameter.tensor);
  for (const models::Linear* linear : model.linears()) {
    if (!linear->lora) continue;
    take(linear->lora->weight.a);
    take(linear->lora->weight.b);
  }
  return leaves;
}

}  // namespace fedtune::train
