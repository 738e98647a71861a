// Stands in for parquet.cpp in a build without Arrow.
#include "fedtune/base/error.h"
#include "fedtune/data/parquet.h"

namespace fedtune::data {

Rows<Row> parquet_rows(const std::filesystem::path& file, std::span<const std::string_view>) {
  std::filesystem::path converted = file;
  converted.replace_extension(".jsonl");
  throw input_error(
      "{}: this build reads no parquet (FEDTUNE_PARQUET is off); convert it with python3 -c \"import pandas; "
      "pandas.read_parquet('{}').to_json('{}', orient='records', lines=True)\"",
      file.string(), file.string(), converted.string());
}

}  // namespace fedtune::data
