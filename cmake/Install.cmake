# What `cmake --install` puts where, so that find_package(fedtune) works: headers, one static library a layer, and how to link
# them. Component `program`: bin/fedtune alone; component `library`: the rest.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(layers GLOBAL PROPERTY FEDTUNE_LAYERS)
set(cmake_folder "${CMAKE_INSTALL_LIBDIR}/cmake/fedtune")
set(exported ${layers} fedtune_options)
if(TARGET fedtune_proto)
  list(APPEND exported fedtune_proto fedtune_messages)
endif()
install(TARGETS ${exported} EXPORT fedtune ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
install(EXPORT fedtune NAMESPACE fedtune:: FILE fedtuneTargets.cmake DESTINATION "${cmake_folder}" COMPONENT library)
foreach(layer IN LISTS layers)
  string(REPLACE "fedtune_" "" name ${layer})
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/src/fedtune/${name}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/fedtune"
          COMPONENT library FILES_MATCHING PATTERN "*.h" PATTERN "*test*" EXCLUDE PATTERN "*fixture*" EXCLUDE
          PATTERN "simulated_*" EXCLUDE PATTERN "toy_*" EXCLUDE)
endforeach()

configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/fedtuneConfig.cmake.in" "${CMAKE_BINARY_DIR}/fedtuneConfig.cmake"
                              INSTALL_DESTINATION "${cmake_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/fedtuneConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/fedtuneConfig.cmake" "${CMAKE_BINARY_DIR}/fedtuneConfigVersion.cmake"
              "${CMAKE_SOURCE_DIR}/cmake/TorchWheel.cmake" "${CMAKE_SOURCE_DIR}/cmake/ArrowWheel.cmake"
        DESTINATION "${cmake_folder}" COMPONENT library)
