#include "fedtune/train/student.h"

#include <utility>

#include "fedtune/models/checkpoint.h"
#include "fedtune/nn/huge_pages.h"

namespace fedtune::train {

StudentTemplate::StudentTemplate(models::SequenceClassifier checkpoint, const StudentOptions& options)
    : start_(std::move(checkpoint)), options_(options) {
  if (options_.trained == Trained::adapters) {
    models::freeze_all(start_, options_.precision);
    peft::inject(start_, options_.lora, options_.seed);
  }
  layout_ = layout_of(initial());
}

NamedTensors StudentTemplate::initial() const {
  return travelling(start_);
}

std::vector<models::TensorSlot> StudentTemplate::trained_slots(models::SequenceClassifier& model) const {
  return options_.trained == Trained::adapters ? peft::adapter_slots(model, options_.lora) : model.slots();
}

models::SequenceClassifier StudentTemplate::for_training(const NamedTensors& global) const {
  models::SequenceClassifier model = start_;
  const std::vector<models::TensorSlot> slots = trained_slots(model);
  for (const models::TensorSlot& slot : slots) *slot.tensor = nn::huge_empty_like(slot.tensor->detach());
  io::assign(models::parameters_at(slots), global);
  for (const models::TensorSlot& slot : slots) slot.tensor->requires_grad_(true);
  return model;
}

models::SequenceClassifier StudentTemplate::for_scoring(const NamedTensors& global) const {
  models::SequenceClassifier model = for_training(global);
  for (const models::TensorSlot& slot : trained_slots(model)) slot.tensor->requires_grad_(false);
  // With adapters the base is packed already, and the head is too small to gain from it.
  if (options_.trained == Trained::all_parameters) models::freeze_all(model);
  return model;
}

NamedTensors StudentTemplate::travelling(const models::SequenceClassifier& model) const {
  models::SequenceClassifier shared = model;
  io::Parameters parameters = models::parameters_at(trained_slots(shared));
  // Without the gradients, which would otherwise live as long as the tensors.
  for (io::Parameter& parameter : parameters) parameter.tensor = parameter.tensor.detach().to(at::kCPU);
  return io::named_tensors_from(parameters);
}

}  // namespace fedtune::train
