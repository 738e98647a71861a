// Arrays of NumPy's, as they come over Flower's wire: read, written again, and read to the same.
#include "fedtune/format/npy.h"

#include <algorithm>

#include "support.h"

FEDTUNE_FUZZ_TARGET(npy) {
  using namespace fedtune;
  const auto array = fuzz::accepted([&] { return npy_view(std::as_bytes(std::span(data, size))); });
  if (!array) return 0;
  const std::string written = npy_from(*array);
  const TensorView again = npy_view(std::as_bytes(std::span(written)));
  fuzz::require(again.dtype == array->dtype && again.shape == array->shape, "type and shape are written as read");
  fuzz::require(std::ranges::equal(again.bytes, array->bytes), "and values");
  return 0;
}
