#include "fedtune/aggregate/measures.h"

#include <cmath>
#include <span>

#include "fedtune/aggregate/lane_sum.h"
#include "fedtune/format/tensor_hash.h"

namespace fedtune::aggregate {

Measures measure(const NamedTensors& tensors, const NamedTensors& origin) {
  ReadOnce reading(tensors);
  TensorHash hash;
  double norm = 0.0;
  double change = 0.0;
  for (std::size_t t = 0; t < tensors.tensors.size(); ++t) {
    const TensorView& tensor = tensors.tensors[t];
    const std::span<const float> values = tensor.f32();
    const std::span<const float> before = origin.tensors.at(t).f32();
    LaneSum own, moved;
    hash.begin(tensor);
    for_each_piece(values.size(), [&](std::size_t begin, std::size_t count) {
      const float* const now = values.data() + begin;
      const float* const then = before.data() + begin;
      const std::span<const std::byte> bytes = std::as_bytes(values.subspan(begin, count));
      hash.add(bytes);
      add_lengths(count, now, then, own, moved);
      reading.advance(bytes.size());
    });
    norm += own.total();
    change += moved.total();
  }
  return {.sha256 = hash.hex(), .norm = std::sqrt(norm), .change = std::sqrt(change)};
}

}  // namespace fedtune::aggregate
