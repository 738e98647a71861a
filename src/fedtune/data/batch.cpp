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
    for (std::size_t i = 0; i < example.ids.size(); ++i) batch.positions.push_back(static_cast<std::int32_t>(i));
    batch.offsets.push_back(static_cast<std::int32_t>(batch.ids.size()));
    batch.labels.push_back(example.label);
  }
  constexpr std::size_t multiple = PackedBatch::row_multiple;
  const std::size_t rows = (batch.ids.size() + multiple - 1) / multiple * multiple;
  batch.ids.resize(rows);
  batch.positions.resize(rows);
  batch.type_ids.resize(rows);
  return batch;
}

}  // namespace fedtune::data
