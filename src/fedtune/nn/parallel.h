// A loop over rows on the threads of nn::UseThreads.
#pragma once

#include <cstdint>
#include <functional>

namespace fedtune::nn {

// Calls body(first, last) for parts of [0, rows) that do not overlap and cover it, at the same time on as many threads
// as threads_in_use() says, each part `fewest` rows or more; on this thread alone where that makes one part. Where
// parts end depends on the number of threads: body must compute each row the same way in any part.
void parallel_rows(std::int64_t rows, std::int64_t fewest,
                   const std::function<void(std::int64_t first, std::int64_t last)>& body);

}  // namespace fedtune::nn
