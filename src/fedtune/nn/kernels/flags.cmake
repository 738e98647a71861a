# The kernels are compiled once per instruction set; these flags reach no other file. Fused multiply-add is asked for here
# alone. No precompiled header: its inline functions must not be compiled for a processor that may not be there.
set(kernels "${CMAKE_CURRENT_LIST_DIR}")
set_source_files_properties("${kernels}/amx.cpp" "${kernels}/avx512.cpp" "${kernels}/avx2.cpp" "${kernels}/portable.cpp"
  "${kernels}/amx_bf16.cpp" "${kernels}/avx512_bf16.cpp" "${kernels}/portable_bf16.cpp" PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "-O3;-ffp-contract=fast;-fno-math-errno")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_property(SOURCE "${kernels}/amx.cpp" "${kernels}/avx512.cpp" APPEND PROPERTY
    COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx2;-mfma")
  set_property(SOURCE "${kernels}/avx2.cpp" APPEND PROPERTY COMPILE_OPTIONS "-mavx2;-mfma")
  set_property(SOURCE "${kernels}/amx_bf16.cpp" "${kernels}/avx512_bf16.cpp" APPEND PROPERTY
    COMPILE_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512bf16")
  set_property(SOURCE "${kernels}/amx.cpp" APPEND PROPERTY COMPILE_OPTIONS "-mamx-tile;-mamx-int8")
  set_property(SOURCE "${kernels}/amx_bf16.cpp" APPEND PROPERTY COMPILE_OPTIONS "-mamx-tile;-mamx-bf16")
endif()
