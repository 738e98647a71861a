// Packed batches as the tensors a model reads.
#pragma once

#include "fedtune/data/batch.h"
#include "fedtune/models/batch.h"
#include "fedtune/models/classifier.h"

namespace fedtune::train {

// On the device of `model`. Throws what models::make_batch throws.
models::Batch to_batch(const data::PackedBatch& packed, const models::SequenceClassifier& model);

}  // namespace fedtune::train
