# Compiler options every target shares.
add_library(fedtune_options INTERFACE)
target_compile_options(fedtune_options INTERFACE -Wall -Wextra -Wpedantic -Wno-unused-parameter)
# What is hot is in nn/kernels and says -O3 itself; for the rest -O3 costs compile time and gains nothing.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# The same bits on every build: no contraction or reassociation that a compiler might choose on its own.
target_compile_options(fedtune_options INTERFACE -ffp-contract=off)
if(FEDTUNE_SANITIZE)
  target_compile_options(fedtune_options INTERFACE -fsanitize=${FEDTUNE_SANITIZE} -fno-omit-frame-pointer
                                                   -fno-sanitize-recover=all)
  target_link_options(fedtune_options INTERFACE -fsanitize=${FEDTUNE_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()
