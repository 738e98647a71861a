#include "fedtune/models/checkpoint.h"

#include <ATen/core/Tensor.h>

#include "fedtune/base/file.h"
#include "fedtune/format/safetensors.h"
#include "fedtune/nn/huge_pages.h"

namespace fedtune::models {
namespace {

// Applies `change` to every adapter tensor of the model.
template <typename Change>
void change_adapters(SequenceClassifier& model, Change change) {
  for (Linear* linear : model.linears()) {
    if (!linear->lora) continue;
    linear->lora->weight.a = change(linear->lora->weight.a);
    linear->lora->weight.b = change(linear->lora->weight.b);
  }
}

void unpack(SequenceClassifier& model) {
  for (Linear* linear : model.linears()) linear->weight.packed.reset();
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder, const SequenceClassifier& model) {
  create_folders(folder);
  save_safetensors(folder / "model.safetensors", io::named_tensors_from(model.parameters()), {{"format", "pt"}});
  write_file_atomically(folder / "config.json", config_to_save(model.config).dump(2) + "\n");
}

void freeze_all(SequenceClassifier& model, nn::Precision precision) {
  for (const TensorSlot& slot : model.slots()) {
    const bool is_vector = slot.tensor->dim() == 1;  // a page of the file, which Linux would map 2 MB around
    *slot.tensor = is_vector ? slot.tensor->detach().clone() : slot.tensor->detach();
  }
  change_adapters(model, [](const at::Tensor& tensor) { return tensor.detach(); });
  for (Linear* linear : model.linears()) {
    const bool of_head = linear == &model.head_dense || linear == &model.classifier;
    nn::freeze(linear->weight, of_head ? nn::Precision::fp32 : precision);
  }
}

SequenceClassifier trainable_copy(const SequenceClassifier& model) {
  SequenceClassifier copy = model;
  const auto leaf = [](const at::Tensor& tensor) {
    const at::Tensor own = nn::huge_clone(tensor.detach()).requires_grad_(true);
    release_pages({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
    return own;
  };
  for (const TensorSlot& slot : copy.slots()) *slot.tensor = leaf(*slot.tensor);
  change_adapters(copy, leaf);
  unpack(copy);
  return copy;
}

SequenceClassifier to_device(const SequenceClassifier& model, at::Device device) {
  SequenceClassifier copy = model;
  const auto moved = [device](const at::Tensor& tensor) { return tensor.to(device); };
  for (const TensorSlot& slot : copy.slots()) *slot.tensor = moved(*slot.tensor);
  change_adapters(copy, moved);
  unpack(copy);
  return copy;
}

}  // namespace fedtune::models
