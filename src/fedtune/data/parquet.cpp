#include "fedtune/data/parquet.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <new>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/schema.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/text/unicode.h"

namespace fedtune::data {
namespace {

// The value of a Result; throws what it failed with.
template <typename T>
T value_of(arrow::Result<T> result, const std::string& source) {
  if (!result.ok()) {
    throw input_error("{}: not a parquet file, or a damaged one: {}; fetch or write it again", source,
                      result.status().message());
  }
  return std::move(result).ValueUnsafe();
}

template <typename Array>
std::string text_at(const arrow::Array& array, std::int64_t i) {
  return std::string(static_cast<const Array&>(array).GetView(i));
}

template <typename Array>
std::string number_at(const arrow::Array& array, std::int64_t i) {
  return fmt::format("{}", static_cast<const Array&>(array).Value(i));
}

using ValueAt = std::string (*)(const arrow::Array&, std::int64_t);

// How a value of that type is read; nullptr for a type that is neither text nor whole numbers.
ValueAt reader_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
      return text_at<arrow::StringArray>;
    case arrow::Type::LARGE_STRING:
      return text_at<arrow::LargeStringArray>;
    case arrow::Type::INT8:
      return number_at<arrow::Int8Array>;
    case arrow::Type::INT16:
      return number_at<arrow::Int16Array>;
    case arrow::Type::INT32:
      return number_at<arrow::Int32Array>;
    case arrow::Type::INT64:
      return number_at<arrow::Int64Array>;
    case arrow::Type::UINT8:
      return number_at<arrow::UInt8Array>;
    case arrow::Type::UINT16:
      return number_at<arrow::UInt16Array>;
    case arrow::Type::UINT32:
      return number_at<arrow::UInt32Array>;
    case arrow::Type::UINT64:
      return number_at<arrow::UInt64Array>;
    default:
      return nullptr;
  }
}

// A column that was written with a dictionary of its values keeps it.
template <typename Place>
std::string value_at(const arrow::Array& array, std::int64_t i, const Place& place) {
  if (array.IsNull(i)) throw input_error("{}: no value there; expected one in every row", place());
  if (array.type_id() == arrow::Type::DICTIONARY) {
    const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
    return value_at(*coded.dictionary(), coded.GetValueIndex(i), place);
  }
  const ValueAt read = reader_of(*array.type());
  if (read == nullptr) {
    throw input_error("{}: found values of the type {}, expected texts or whole numbers", place(),
                      array.type()->ToString());
  }
  std::string value = read(array, i);
  if (const auto invalid = text::find_invalid_utf8(value)) {
    throw input_error("{}: byte 0x{:02x} is not UTF-8", place(), static_cast<unsigned char>(value[*invalid]));
  }
  return value;
}

void read(const std::filesystem::path& file, std::span<const std::string_view> wanted,
          const std::function<void(Row&)>& take) {
  const std::string source = file.string();
  const auto mapped = MappedFile::open(file);
  const auto bytes = mapped->bytes();
  const auto input = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(
      reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<std::int64_t>(bytes.size())));
  const auto reader = value_of(parquet::arrow::OpenFile(input, arrow::default_memory_pool()), source);

  const parquet::SchemaDescriptor& schema = *reader->parquet_reader()->metadata()->schema();
  std::vector<int> indices;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string name = schema.Column(i)->path()->ToDotString();
    if (std::ranges::find(wanted, name) != wanted.end()) indices.push_back(i);
  }
  const auto table = value_of(reader->ReadTable(indices), source);

  Row row;
  for (const auto& field : table->fields()) row.fields.push_back(field->name());
  take(row);
  arrow::TableBatchReader batches(*table);
  while (const auto batch = value_of(batches.Next(), source)) {
    for (const auto& column : batch->columns()) {
      if (const arrow::Status valid = column->ValidateFull(); !valid.ok()) {
        throw input_error("{}: a damaged parquet file: {}; fetch or write it again", source, valid.message());
      }
    }
    for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
      ++row.line;
      row.fields.clear();
      for (int column = 0; column < batch->num_columns(); ++column) {
        row.fields.push_back(value_at(*batch->column(column), i, [&] {
          return fmt::format("{}, row {}, column {}", source, row.line, batch->column_name(column));
        }));
      }
      take(row);
    }
  }
}

}  // namespace

Rows<Row> parquet_rows(const std::filesystem::path& file, std::span<const std::string_view> wanted) {
  return [file, wanted](const std::function<void(Row&)>& take) {
    try {
      read(file, wanted, take);
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {  // parquet::ParquetException
      throw input_error("{}: not a parquet file, or a damaged one: {}; fetch or write it again", file.string(),
                        error.what());
    }
  };
}

}  // namespace fedtune::data
