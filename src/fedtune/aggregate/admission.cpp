#include "fedtune/aggregate/admission.h"

#include <array>
#include <cmath>

#include "fedtune/base/error.h"
#include "fedtune/base/memory.h"

namespace fedtune::aggregate {
namespace {

template <typename... Args>
Status refuse(fmt::format_string<Args...> format, Args&&... args) {
  return Status::refused(fmt::format(format, std::forward<Args>(args)...));
}

Status check_form(const TensorSpec& expected, const TensorView& found) {
  if (found.name != expected.name) return refuse("found tensor '{}', expected '{}'", found.name, expected.name);
  if (found.dtype != expected.dtype) {
    return refuse("tensor '{}' is {}, expected {}", found.name, dtype_name(found.dtype), dtype_name(expected.dtype));
  }
  if (found.dtype != DType::f32)
    return refuse("tensor '{}' is {}, only F32 can be averaged", found.name, dtype_name(found.dtype));
  if (found.shape != expected.shape) {
    return refuse("tensor '{}' has shape {}, expected {}", found.name, shape_text(found.shape),
                  shape_text(expected.shape));
  }
  if (const auto size = byte_size(found.dtype, found.shape); size != found.bytes.size()) {
    return refuse("tensor '{}' has {} bytes, expected {}", found.name, found.bytes.size(), size.value_or(0));
  }
  return Status::ok();
}

// In double precision no square of a float overflows, so the sum is finite where every value is.
template <typename Value>
double sum_of_squares(std::size_t count, Value&& value_at) {
  std::array<double, 8> lanes{};
  std::size_t i = 0;
  for (; i + lanes.size() <= count; i += lanes.size()) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      const double value = value_at(i + lane);
      lanes[lane] += value * value;
    }
  }
  double sum = 0.0;
  for (; i < count; ++i) sum += value_at(i) * value_at(i);
  for (const double lane : lanes) sum += lane;
  return sum;
}
double sum_of_squares(std::span<const float> values) {
  return sum_of_squares(values.size(), [&](std::size_t i) { return double{values[i]}; });
}

Status name_first_not_finite(const TensorView& tensor) {
  const std::span<const float> values = tensor.f32();
  std::size_t i = 0;
  while (std::isfinite(values[i])) ++i;
  return refuse("tensor '{}' holds {} at index {}, expected finite values", tensor.name, values[i], i);
}

Status check_weight(double weight, double largest) {
  if (!std::isfinite(weight)) return refuse("the weight is {}, expected a finite number", weight);
  if (weight <= 0.0) return refuse("the weight is {}, expected one above 0", weight);
  if (weight > largest) return refuse("the weight is {}, expected at most {:g}", weight, largest);
  return Status::ok();
}

}  // namespace

double norm_of(const NamedTensors& tensors) {
  double squares = 0.0;
  for (const TensorView& tensor : tensors.tensors) squares += sum_of_squares(tensor.f32());
  return std::sqrt(squares);
}

double distance(const NamedTensors& tensors, const NamedTensors& origin) {
  double squares = 0.0;
  for (std::size_t i = 0; i < tensors.tensors.size(); ++i) {
    const std::span<const float> values = tensors.tensors[i].f32();
    const std::span<const float> others = origin.tensors.at(i).f32();
    squares += sum_of_squares(values.size(), [&](std::size_t j) { return double{values[j]} - double{others[j]}; });
  }
  return std::sqrt(squares);
}

Status check_contribution(const Layout& layout, const Offer& offer, const AdmissionLimits& limits) {
  if (Status status = check_weight(offer.weight, limits.max_weight); !status) return status;
  const auto& tensors = offer.tensors.tensors;
  if (tensors.size() != layout.size()) return refuse("{} tensors, expected {}", tensors.size(), layout.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (Status status = check_form(layout[i], tensors[i]); !status) return status;
  }
  double squares = 0.0;
  for (const TensorView& tensor : tensors) {
    const double sum = sum_of_squares(tensor.f32());
    if (!std::isfinite(sum)) return name_first_not_finite(tensor);
    if (offer.tensors.mapped) release_pages(tensor.bytes);
    squares += sum;
  }
  if (const double norm = std::sqrt(squares); norm > limits.max_norm) {
    return refuse("the norm of its values is {:.3g}, expected at most {:.3g}; has its training diverged?", norm,
                  limits.max_norm);
  }
  return Status::ok();
}

}  // namespace fedtune::aggregate
