#include "fedtune/aggregate/admission.h"

#include <cmath>
#include <span>

#include "fedtune/aggregate/lane_sum.h"
#include "fedtune/base/error.h"

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

Status check_contribution(const Layout& layout, const Offer& offer, const AdmissionLimits& limits) {
  if (Status status = check_weight(offer.weight, limits.max_weight); !status) return status;
  const auto& tensors = offer.tensors.tensors;
  if (tensors.size() != layout.size()) return refuse("{} tensors, expected {}", tensors.size(), layout.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (Status status = check_form(layout[i], tensors[i]); !status) return status;
  }
  ReadOnce reading(offer.tensors);
  double squares = 0.0;
  for (const TensorView& tensor : tensors) {
    const std::span<const float> values = tensor.f32();
    LaneSum sum;
    for_each_piece(values.size(), [&](std::size_t begin, std::size_t count) {
      const std::span<const float> piece = values.subspan(begin, count);
      add_squares(count, piece.data(), sum);
      reading.advance(piece.size_bytes());
    });
    if (!std::isfinite(sum.total())) return name_first_not_finite(tensor);
    squares += sum.total();
  }
  if (const double norm = std::sqrt(squares); norm > limits.max_norm) {
    return refuse("the norm of its values is {:.3g}, expected at most {:.3g}; has its training diverged?", norm,
                  limits.max_norm);
  }
  return Status::ok();
}

}  // namespace fedtune::aggregate
