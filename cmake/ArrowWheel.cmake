# The PyPI wheel of pyarrow as a C++ SDK: target arrow_wheel, of libparquet and libarrow. Only data/parquet.cpp links it.
#
# Point FEDTUNE_ARROW_DIR at the folder `pyarrow` of another wheel to use that one.
set(FEDTUNE_ARROW_DIR "" CACHE PATH "folder of the pyarrow package (holds include/ and libarrow.so.*)")
if(NOT FEDTUNE_ARROW_DIR)
  file(GLOB candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow")
  list(POP_FRONT candidates FEDTUNE_ARROW_DIR)
endif()
if(NOT EXISTS "${FEDTUNE_ARROW_DIR}/include/parquet/arrow/reader.h")
  message(FATAL_ERROR "no pyarrow wheel at '${FEDTUNE_ARROW_DIR}': run `make setup`, set -DFEDTUNE_ARROW_DIR, or build "
                      "without parquet: -DFEDTUNE_PARQUET=OFF")
endif()

# The include folder holds the Python bindings' headers too; only these two are used.
set(arrow_include "${CMAKE_BINARY_DIR}/arrow_include")
file(MAKE_DIRECTORY "${arrow_include}")
foreach(part arrow parquet)
  file(CREATE_LINK "${FEDTUNE_ARROW_DIR}/include/${part}" "${arrow_include}/${part}" SYMBOLIC)
endforeach()

# The wheel has no libarrow.so, only the name with its version.
file(GLOB arrow_libraries "${FEDTUNE_ARROW_DIR}/libparquet.so.*[0-9]" "${FEDTUNE_ARROW_DIR}/libarrow.so.*[0-9]")
list(LENGTH arrow_libraries count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "expected one libarrow and one libparquet in '${FEDTUNE_ARROW_DIR}', found: ${arrow_libraries}")
endif()
add_library(arrow_wheel INTERFACE IMPORTED GLOBAL)
target_include_directories(arrow_wheel INTERFACE "${arrow_include}")
target_link_libraries(arrow_wheel INTERFACE ${arrow_libraries})
