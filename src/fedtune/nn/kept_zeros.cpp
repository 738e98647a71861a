#include "fedtune/nn/kept_zeros.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/util/accumulate.h>

#include "fedtune/nn/parallel.h"

namespace fedtune::nn {
namespace {

constexpr std::int64_t largest_of_malloc = 32 << 20;  // bytes

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<float[], Free>;

class Store {
 public:
  Memory take(std::int64_t numbers) {
    {
      const std::lock_guard lock(mutex_);
      if (auto found = kept_.extract(numbers)) return std::move(found.mapped());
    }
    constexpr std::size_t line = 64;
    const std::size_t bytes = static_cast<std::size_t>(numbers) * sizeof(float);
    Memory memory(static_cast<float*>(std::aligned_alloc(line, (bytes + line - 1) / line * line)));
    if (!memory) throw std::bad_alloc();
    return memory;
  }

  void give_back(std::int64_t numbers, Memory memory) {
    const std::lock_guard lock(mutex_);
    kept_.emplace(numbers, std::move(memory));
  }

 private:
  std::mutex mutex_;
  std::multimap<std::int64_t, Memory> kept_;
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
  float* const memory = store().take(numbers).release();
  const at::Tensor tensor = at::from_blob(
      memory, shape, [numbers](void* data) { store().give_back(numbers, Memory(static_cast<float*>(data))); },
      at::kFloat);
  parallel_columns(numbers,
                   [memory](std::int64_t first, std::int64_t last) { std::fill(memory + first, memory + last, 0.0f); });
  return tensor;
}

}  // namespace fedtune::nn
