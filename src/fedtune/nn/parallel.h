// A loop over rows, or columns, on the threads of nn::UseThreads.
#pragma once

#include <cstdint>
#include <functional>

namespace fedtune::nn {

// Fewer of a product or of a norm are not worth a thread.
inline constexpr std::int64_t fewest_rows = 32;

// Calls body(first, last) for parts of [0, rows) that do not overlap and cover it, at the same time on as many threads
// as threads_in_use() says, each part `fewest` rows or more; on this thread alone where that makes one part. Where
// parts end depends on the number of threads: body must compute each row the same way in any part. Denormal numbers
// count as 0 in it.
void parallel_rows(std::int64_t rows, std::int64_t fewest,
                   const std::function<void(std::int64_t first, std::int64_t last)>& body);

// The same over columns, in parts of whole vectors of any kernel set.
void parallel_columns(std::int64_t columns, const std::function<void(std::int64_t first, std::int64_t last)>& body);

}  // namespace fedtune::nn
