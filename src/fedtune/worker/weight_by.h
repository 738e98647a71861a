#pragma once

namespace fedtune::worker {

// What a contribution weighs in the mean.
enum class WeightBy { batches, sentences };

}  // namespace fedtune::worker
