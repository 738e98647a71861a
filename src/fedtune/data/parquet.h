// Parquet tables, read by Arrow, which goes no further than parquet.cpp. A build without it (-DFEDTUNE_PARQUET=OFF)
// refuses such a file and says how to convert it.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "fedtune/data/table.h"

namespace fedtune::data {

// The columns of `wanted` that the file has: first a row with their names, then the rows, each with its number, from 1,
// as `line`. Texts and whole numbers (written out) are read. Throws Error(input) for a file that is not parquet or
// damaged, another type of column, a value that is missing or not UTF-8. The names outlive the rows.
Rows<Row> parquet_rows(const std::filesystem::path& file, std::span<const std::string_view> wanted);

}  // namespace fedtune::data
