#include "fedtune/base/memory.h"

#include <sys/resource.h>

namespace fedtune {

std::int64_t peak_rss_bytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace fedtune
