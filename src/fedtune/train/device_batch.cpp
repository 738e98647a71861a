#include "fedtune/train/device_batch.h"

#include "fedtune/base/profile.h"

namespace fedtune::train {

models::Batch to_batch(const data::PackedBatch& packed, const models::SequenceClassifier& model) {
  const ProfileScope scope(Work::batch);
  const models::BatchColumns columns{.ids = packed.ids,
                                     .positions = packed.positions,
                                     .type_ids = packed.type_ids,
                                     .offsets = packed.offsets,
                                     .labels = packed.labels};
  return models::make_batch(columns, model.config, model.classifier.weight.weight.device());
}

}  // namespace fedtune::train
