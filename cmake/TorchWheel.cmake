# The PyPI wheel of torch as a C++ SDK: target torch_wheel.
#
# The wheel's own TorchConfig.cmake asks for a CUDA toolkit when the wheel was built for CUDA; this module needs none: it
# takes the libraries that are there. Point FEDTUNE_TORCH_DIR at the folder `torch` of another wheel to use that one.
set(FEDTUNE_TORCH_DIR "" CACHE PATH "folder of the torch package (holds include/ and lib/)")
if(NOT FEDTUNE_TORCH_DIR)
  file(GLOB candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  list(POP_FRONT candidates FEDTUNE_TORCH_DIR)
endif()
if(NOT EXISTS "${FEDTUNE_TORCH_DIR}/include/ATen/ATen.h")
  message(FATAL_ERROR "no torch wheel at '${FEDTUNE_TORCH_DIR}': run `make setup`, or set -DFEDTUNE_TORCH_DIR")
endif()

# The wheel's include folder holds other libraries too (fmt, protobuf) that must not hide the system's: link torch's own parts.
set(torch_include "${CMAKE_BINARY_DIR}/torch_include")
file(MAKE_DIRECTORY "${torch_include}")
foreach(part ATen c10 caffe2 torch)
  file(CREATE_LINK "${FEDTUNE_TORCH_DIR}/include/${part}" "${torch_include}/${part}" SYMBOLIC)
endforeach()

add_library(torch_wheel INTERFACE IMPORTED GLOBAL)  # imported: who links an installed fedtune makes it anew
target_include_directories(torch_wheel INTERFACE "${torch_include}" "${torch_include}/torch/csrc/api/include")
# ATen/ATen.h and what torch includes for itself would bring in every operator, at 2 s of compile time a file.
target_compile_definitions(torch_wheel INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(torch_wheel INTERFACE "-Wl,--no-as-needed")
foreach(library torch torch_cpu torch_cuda c10 c10_cuda)
  if(EXISTS "${FEDTUNE_TORCH_DIR}/lib/lib${library}.so")
    target_link_libraries(torch_wheel INTERFACE "${FEDTUNE_TORCH_DIR}/lib/lib${library}.so")
  endif()
endforeach()
# Threads come from the OpenMP that torch brings: two of them in one process would each start their own.
file(GLOB torch_openmp "${FEDTUNE_TORCH_DIR}/lib/libgomp*.so*")
if(NOT torch_openmp)
  find_package(OpenMP REQUIRED)
  set(torch_openmp OpenMP::OpenMP_CXX)
endif()
target_link_libraries(torch_wheel INTERFACE "-Wl,--as-needed" ${torch_openmp} Threads::Threads)
