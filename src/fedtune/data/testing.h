// For tests: a table's rows at once.
#pragma once

#include <vector>

#include "fedtune/data/table.h"

namespace fedtune::data {

template <typename R>
std::vector<R> all_rows(const Rows<R>& rows) {
  std::vector<R> taken;
  rows([&](R& row) { taken.push_back(row); });
  return taken;
}

}  // namespace fedtune::data
