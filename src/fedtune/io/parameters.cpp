#include "fedtune/io/parameters.h"

#include <cstdint>
#include <cstring>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include "fedtune/base/error.h"

namespace fedtune::io {
namespace {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return at::kDouble;
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::i16:
      return at::kShort;
    case DType::i8:
      return at::kChar;
    case DType::u8:
      return at::kByte;
    case DType::boolean:
      return at::kBool;
  }
  throw failed("mapping a tensor: unknown type {}", static_cast<int>(dtype));
}

DType dtype_of(const at::Tensor& tensor, const std::string& name) {
  for (const DType dtype : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64, DType::i32, DType::i16,
                            DType::i8, DType::u8, DType::boolean}) {
    if (scalar_type(dtype) == tensor.scalar_type()) return dtype;
  }
  throw failed("{} has type {}, which cannot be saved or sent", name, c10::toString(tensor.scalar_type()));
}

bool aligned(const TensorView& view) {
  return reinterpret_cast<std::uintptr_t>(view.bytes.data()) % item_size(view.dtype) == 0;
}

}  // namespace

at::Tensor tensor_from(const TensorView& view, const std::shared_ptr<const void>& owner) {
  const auto type = scalar_type(view.dtype);
  at::Tensor tensor;
  if (aligned(view) && owner) {
    // Torch has no read-only tensors: the header's promise stands for the missing const.
    void* data = const_cast<std::byte*>(view.bytes.data());
    tensor = at::from_blob(data, view.shape, [owner](void*) {}, at::TensorOptions(type));
  } else {
    tensor = at::empty(view.shape, at::TensorOptions(type));
    if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return at::isFloatingType(type) ? tensor.to(at::kFloat) : tensor;
}

Parameters parameters_from(const NamedTensors& tensors) {
  Parameters parameters;
  parameters.reserve(tensors.tensors.size());
  for (const TensorView& view : tensors.tensors) parameters.push_back({view.name, tensor_from(view, tensors.owner)});
  return parameters;
}

NamedTensors named_tensors_from(const Parameters& parameters) {
  auto owned = std::make_shared<std::vector<at::Tensor>>();
  NamedTensors result;
  for (const Parameter& parameter : parameters) {
    const at::Tensor& tensor = owned->emplace_back(parameter.tensor.detach().cpu().contiguous());
    const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
    result.tensors.push_back({.name = parameter.name,
                              .dtype = dtype_of(tensor, parameter.name),
                              .shape = tensor.sizes().vec(),
                              .bytes = {data, tensor.nbytes()}});
  }
  result.owner = std::move(owned);
  return result;
}

void assign(const Parameters& into, const NamedTensors& values) {
  if (into.size() != values.tensors.size()) {
    throw failed("assigning parameters: {} values for {} parameters", values.tensors.size(), into.size());
  }
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const TensorView& value = values.tensors[i];
    if (value.name != into[i].name || at::IntArrayRef(value.shape) != into[i].tensor.sizes()) {
      throw failed("assigning parameters: value {} is {} {}, expected {} {}", i, value.name, shape_text(value.shape),
                   into[i].name, shape_text(into[i].tensor.sizes().vec()));
    }
    at::Tensor target = into[i].tensor;
    target.copy_(tensor_from(value, values.owner));
  }
}

}  // namespace fedtune::io
