#include "fedtune/data/batch.h"

#include "fedtune/base/error.h"

namespace fedtune::data {

PackedBatch pack(std::span<const Example> examples, std::span<const std::uint32_t> order) {
  if (order.empty()) throw failed("packing a batch: no sentences");
  PackedBatch batch;
  batch.offsets.push_back(0);
  for (const std::uint32_t index : order) {
    const Example& example = examples[index];
    if (example.ids.empty()) throw failed("packing a batch: sentence {} has no tokens", index);
    batch.ids.insert(batch.ids.end(), example.ids.begin(), example.ids.end());
    for (std::size_t i = 0; i < example.ids.size(); ++i) {
      const auto position = static_cast<std::int32_t>(i);
      batch.positions.push_back(position);
      batch.type_ids.push_back(example.type_1_from >= 0 && position >= example.type_1_from ? 1 : 0);
    }
    batch.offsets.push_back(static_cast<std::int32_t>(batch.ids.size()));
    batch.labels.push_back(example.label);
  }
  return batch;
}

}  // namespace fedtune::data
