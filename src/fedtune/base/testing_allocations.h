// For tests: what a piece of work allocates. Included by one file of a test program, whose `operator new` it replaces.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace fedtune {

namespace allocations {

inline std::atomic<std::size_t> live{0};
inline std::atomic<std::size_t> most_live{0};
inline std::atomic<std::size_t> largest{0};

inline void raise_to(std::atomic<std::size_t>& most, std::size_t size) {
  std::size_t before = most;
  while (size > before && !most.compare_exchange_weak(before, size)) {
  }
}

inline void* take(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  raise_to(largest, size);
  raise_to(most_live, live += malloc_usable_size(block));
  return block;
}

inline void release(void* block) noexcept {
  if (block != nullptr) live -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace allocations

// Measures from its construction; one at a time. Bytes, of all threads.
class AllocationMeter {
 public:
  AllocationMeter() : before_(allocations::live) {
    allocations::most_live = before_;
    allocations::largest = 0;
  }

  // The largest single allocation.
  std::size_t largest() const { return allocations::largest; }
  // The most that were held at the same time, beside what was held before.
  std::size_t most_together() const { return allocations::most_live - before_; }

 private:
  std::size_t before_;
};

}  // namespace fedtune

// These may not be inline. NOLINTBEGIN(misc-definitions-in-headers)
void* operator new(std::size_t size) {
  return fedtune::allocations::take(size);
}
void* operator new[](std::size_t size) {
  return fedtune::allocations::take(size);
}
// What std::stable_sort takes its buffer from.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return fedtune::allocations::take(size);
  } catch (...) {
    return nullptr;
  }
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  fedtune::allocations::release(block);
}
void operator delete(void* block) noexcept {
  fedtune::allocations::release(block);
}
void operator delete[](void* block) noexcept {
  fedtune::allocations::release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  fedtune::allocations::release(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  fedtune::allocations::release(block);
}
// NOLINTEND(misc-definitions-in-headers)
