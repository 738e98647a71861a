#include "fedtune/train/student.h"

#include <utility>

#include "fedtune/models/checkpoint.h"

namespace fedtune::train {

StudentTemplate::StudentTemplate(models::SequenceClassifier checkpoint, const StudentOptions& options)
    : base_(std::move(checkpoint)), options_(options) {
  if (options_.trained == Trained::adapters) models::freeze_all(base_, options_.precision);
  layout_ = layout_of(initial());
}

NamedTensors StudentTemplate::initial() const {
  return travelling(options_.trained == Trained::adapters ? fresh() : base_);
}

models::SequenceClassifier StudentTemplate::fresh() const {
  if (options_.trained == Trained::all_parameters) return models::trainable_copy(base_);
  models::SequenceClassifier model = base_;
  peft::inject(model, options_.lora, options_.seed);
  return model;
}

io::Parameters StudentTemplate::trained_parameters(const models::SequenceClassifier& model) const {
  return options_.trained == Trained::adapters ? peft::adapter_parameters(model, options_.lora) : model.parameters();
}

models::SequenceClassifier StudentTemplate::for_training(const NamedTensors& global) const {
  models::SequenceClassifier model = fresh();
  io::assign(trained_parameters(model), global);
  return model;
}

models::SequenceClassifier StudentTemplate::for_scoring(const NamedTensors& global) const {
  models::SequenceClassifier model = for_training(global);
  for (const io::Parameter& parameter : trained_parameters(model)) parameter.tensor.requires_grad_(false);
  // With adapters the base is packed already, and the head is too small to gain from it.
  if (options_.trained == Trained::all_parameters) models::freeze_all(model);
  return model;
}

NamedTensors StudentTemplate::travelling(const models::SequenceClassifier& model) const {
  io::Parameters parameters = trained_parameters(model);
  // Without the gradients, which would otherwise live as long as the tensors.
  for (io::Parameter& parameter : parameters) parameter.tensor = parameter.tensor.detach().to(at::kCPU);
  return io::named_tensors_from(parameters);
}

}  // namespace fedtune::train
