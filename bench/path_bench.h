// The benchmarks of path_bench.cpp that need files.
#pragma once

#include <string>

namespace fedtune::bench {

void add_tokenizer(const std::string& model, const std::string& data);

}  // namespace fedtune::bench
