// For tests: tensors that own their values.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fedtune/format/named_tensors.h"

namespace fedtune {

struct TestTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

inline NamedTensors test_tensors(std::vector<TestTensor> parts) {
  auto owner = std::make_shared<const std::vector<TestTensor>>(std::move(parts));
  NamedTensors tensors{.tensors = {}, .owner = owner};
  for (const TestTensor& part : *owner) {
    tensors.tensors.push_back({part.name, DType::f32, part.shape, std::as_bytes(std::span(part.values))});
  }
  return tensors;
}

}  // namespace fedtune
