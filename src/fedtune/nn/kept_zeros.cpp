#include "fedtune/nn/kept_zeros.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/util/accumulate.h>

#include "fedtune/nn/huge_pages.h"
#include "fedtune/nn/parallel.h"

namespace fedtune::nn {
namespace {

constexpr std::int64_t largest_of_malloc = 32 << 20;  // bytes

class Store {
 public:
  at::Tensor take(std::int64_t numbers) {
    {
      const std::lock_guard lock(mutex_);
      if (auto found = kept_.extract(numbers)) return std::move(found.mapped());
    }
    return huge_empty({numbers}, at::kFloat);
  }

  void give_back(at::Tensor memory) {
    const std::lock_guard lock(mutex_);
    const std::int64_t numbers = memory.numel();
    kept_.emplace(numbers, std::move(memory));
  }

 private:
  std::mutex mutex_;
  std::multimap<std::int64_t, at::Tensor> kept_;
};

// Never destroyed: a tensor may outlive every static.
Store& store() {
  static auto* const the_store = new Store;
  return *the_store;
}

}  // namespace

at::Tensor kept_zeros(at::IntArrayRef shape) {
  const std::int64_t numbers = c10::multiply_integers(shape);
  if (numbers * static_cast<std::int64_t>(sizeof(float)) <= largest_of_malloc) return at::zeros(shape, at::kFloat);
  const at::Tensor kept = store().take(numbers);
  auto* const memory = kept.mutable_data_ptr<float>();
  const at::Tensor tensor = at::from_blob(memory, shape, [kept](void*) { store().give_back(kept); }, at::kFloat);
  parallel_columns(numbers,
                   [memory](std::int64_t first, std::int64_t last) { std::fill(memory + first, memory + last, 0.0f); });
  return tensor;
}

}  // namespace fedtune::nn
