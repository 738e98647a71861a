# Tests are compiled for quick builds; the layers that they try keep what the build says. Under the address sanitizer too: half of
# a build's time went into optimising the checks in the tests' own code. Under the thread sanitizer they would run longer than that saves.
add_library(fedtune_test_options INTERFACE)
target_compile_options(fedtune_test_options INTERFACE $<$<CONFIG:Release>:-O0>)
if(FEDTUNE_SANITIZE MATCHES "address")
  target_compile_options(fedtune_test_options INTERFACE -O0)
endif()

# A library that holds nothing but a precompiled header: fedtune_precompiled(name header [LINK target...]).
function(fedtune_precompiled name header)
  cmake_parse_arguments(PCH "" "" "LINK" ${ARGN})
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/${name}.cpp" CONTENT "")
  add_library(${name} STATIC "${CMAKE_BINARY_DIR}/${name}.cpp")
  target_link_libraries(${name} PRIVATE fedtune_options fmt::fmt nlohmann_json::nlohmann_json ${PCH_LINK})
  target_precompile_headers(${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/${header}")
endfunction()

# One folder, one target, one line: fedtune_layer(name [TORCH|NET] [NO_THREADS] DEPS ...). NO_THREADS: neither the layer nor its
# tests start any, so that the thread sanitizer would find nothing in them, and they are not built for it.
#
# Every *.cpp of the folder (sub-folders too) belongs to the layer, *_test.cpp to its test program.
# A layer's headers are reached through an include root of its own, holding a link to its folder alone, so a header of a
# layer that is not linked cannot be included.
function(fedtune_layer name)
  cmake_parse_arguments(LAYER "TORCH;NET;NO_THREADS" "" "DEPS" ${ARGN})
  if((LAYER_TORCH AND NOT FEDTUNE_TORCH) OR (LAYER_NET AND NOT FEDTUNE_NET))
    return()
  endif()
  if(NOT FEDTUNE_NET)  # a layer can do without
    list(REMOVE_ITEM LAYER_DEPS fedtune_net)
  endif()
  set(header fedtune_core_pch)
  set(test_header fedtune_test_pch)
  if(LAYER_TORCH)
    set(header fedtune_torch_pch)
    set(test_header fedtune_torch_test_pch)
  endif()
  if(LAYER_NET)  # gRPC compiles with -pthread, which a precompiled header would have to be made with
    set(header "")
  endif()
  set(folder "${CMAKE_CURRENT_SOURCE_DIR}/${name}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${folder}/*.cpp")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  set(root "${CMAKE_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${root}/fedtune")
  file(CREATE_LINK "${folder}" "${root}/fedtune/${name}" SYMBOLIC)

  if(sources)
    set(scope PUBLIC)
    add_library(fedtune_${name} STATIC ${sources})
    target_link_libraries(fedtune_${name} PRIVATE fedtune_options)
  else()
    set(scope INTERFACE)
    add_library(fedtune_${name} INTERFACE)
  endif()
  target_include_directories(fedtune_${name} ${scope} "$<BUILD_INTERFACE:${root}>" "$<INSTALL_INTERFACE:include>")
  set_target_properties(fedtune_${name} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY FEDTUNE_LAYERS fedtune_${name})
  target_link_libraries(fedtune_${name} ${scope} ${LAYER_DEPS})
  if(LAYER_TORCH)
    target_link_libraries(fedtune_${name} ${scope} torch_wheel)
  endif()
  if(LAYER_NET)  # gRPC, protobuf and curl stay inside
    target_link_libraries(fedtune_${name} PRIVATE fedtune_proto CURL::libcurl)
  endif()
  if(sources AND TARGET "${header}")
    target_precompile_headers(fedtune_${name} REUSE_FROM ${header})
  endif()

  if(LAYER_NO_THREADS AND FEDTUNE_SANITIZE STREQUAL "thread")
    set(tests "")
  endif()
  if(FEDTUNE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE fedtune_${name} fedtune_options GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE FEDTUNE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    set_property(GLOBAL APPEND PROPERTY FEDTUNE_TEST_PROGRAMS ${name}_test)
    target_link_libraries(${name}_test PRIVATE fedtune_test_options)
    if(LAYER_NET)
      target_link_libraries(${name}_test PRIVATE fedtune_proto)
    else()
      target_precompile_headers(${name}_test REUSE_FROM ${test_header})
    endif()
  endif()
endfunction()

# Takes the sources that match a pattern out of a layer and of its tests: fedtune_exclude(name regex).
function(fedtune_exclude name pattern)
  foreach(target fedtune_${name} ${name}_test)
    if(TARGET ${target})
      get_target_property(sources ${target} SOURCES)
      list(FILTER sources EXCLUDE REGEX "${pattern}")
      set_property(TARGET ${target} PROPERTY SOURCES ${sources})
    endif()
  endforeach()
endfunction()

# Leaves the names of this configuration's test programs in tests/programs.txt, so that a program of an earlier
# configuration is never run and one that was not built is missed.
function(fedtune_list_tests)
  get_property(programs GLOBAL PROPERTY FEDTUNE_TEST_PROGRAMS)
  list(JOIN programs "\n" lines)
  file(WRITE "${CMAKE_BINARY_DIR}/tests/programs.txt" "${lines}\n")
endfunction()
