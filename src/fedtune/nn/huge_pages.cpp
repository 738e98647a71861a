#include "fedtune/nn/huge_pages.h"

#include <fstream>
#include <new>
#include <string>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>
#include <c10/util/accumulate.h>
#include <sys/mman.h>

namespace fedtune::nn {
namespace {

constexpr std::size_t huge_page = 2 << 20;

// Without them a mapping of its own would only cost a fault a page, where malloc reuses what was freed.
bool linux_gives_huge_pages() {
  static const bool gives = [] {
    std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");  // as in "always [madvise] never"
    std::string chosen;
    return std::getline(setting, chosen) && chosen.find("[never]") == std::string::npos;
  }();
  return gives;
}

std::size_t bytes_of(at::IntArrayRef shape, at::ScalarType type) {
  return static_cast<std::size_t>(c10::multiply_integers(shape)) * c10::elementSize(type);
}

bool worth_mapping(at::IntArrayRef shape, at::ScalarType type, std::size_t fewest_pages) {
  return bytes_of(shape, type) >= fewest_pages * huge_page && linux_gives_huge_pages();
}

// What a phase begins with and its end frees. Mapping a single huge page, and small ones behind it, costs more than it
// gains: malloc has as much from the phase before.
bool worth_mapping(const at::Tensor& x) {
  return x.is_cpu() && x.is_contiguous() && worth_mapping(x.sizes(), x.scalar_type(), 2);
}

// Zeros, as the system gives its pages.
at::Tensor mapped(at::IntArrayRef shape, at::ScalarType type) {
  const std::size_t bytes = bytes_of(shape, type);
  // A huge page begins at a multiple of its size: as much more is mapped as it takes to begin there.
  const std::size_t length = bytes + huge_page;
  void* const mapping = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(mapping) % huge_page;
  std::byte* const begin = static_cast<std::byte*>(mapping) + (huge_page - beyond) % huge_page;
#if defined(MADV_HUGEPAGE)
  ::madvise(begin, bytes, MADV_HUGEPAGE);  // advice: small pages do as well
#endif
  return at::from_blob(begin, shape, [mapping, length](void*) { ::munmap(mapping, length); }, type);
}

}  // namespace

at::Tensor huge_empty(at::IntArrayRef shape, at::ScalarType type) {
  return worth_mapping(shape, type, 1) ? mapped(shape, type) : at::empty(shape, type);
}

at::Tensor huge_empty_like(const at::Tensor& x) {
  return worth_mapping(x) ? mapped(x.sizes(), x.scalar_type()) : at::empty_like(x);
}

at::Tensor huge_zeros_like(const at::Tensor& x) {
  return worth_mapping(x) ? mapped(x.sizes(), x.scalar_type()) : at::zeros_like(x);
}

at::Tensor huge_clone(const at::Tensor& x) {
  return worth_mapping(x) ? mapped(x.sizes(), x.scalar_type()).copy_(x) : x.clone();
}

}  // namespace fedtune::nn
