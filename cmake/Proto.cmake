# The contracts of proto/ as libraries, for net alone: fedtune_messages, and fedtune_proto with the services too.
find_package(Protobuf REQUIRED)
find_package(gRPC REQUIRED)
get_target_property(grpc_cpp_plugin gRPC::grpc_cpp_plugin LOCATION)

set(proto_root "${CMAKE_SOURCE_DIR}/proto")
set(proto_out "${CMAKE_BINARY_DIR}/proto")
file(MAKE_DIRECTORY "${proto_out}")
file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE "${proto_root}" "${proto_root}/*.proto")
foreach(proto IN LISTS protos)
  string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
  set(generated "${proto_out}/${stem}.pb.cc" "${proto_out}/${stem}.grpc.pb.cc")
  add_custom_command(
    OUTPUT ${generated} "${proto_out}/${stem}.pb.h" "${proto_out}/${stem}.grpc.pb.h"
    COMMAND protobuf::protoc -I "${proto_root}" --cpp_out "${proto_out}" --grpc_out "${proto_out}"
            "--plugin=protoc-gen-grpc=${grpc_cpp_plugin}" "${proto_root}/${proto}"
    DEPENDS "${proto_root}/${proto}"
    COMMENT "Generating ${proto}")
  list(APPEND generated_sources ${generated})
  list(APPEND message_sources "${proto_out}/${stem}.pb.cc")
  list(APPEND service_sources "${proto_out}/${stem}.grpc.pb.cc")
endforeach()
# For tools that read every header without building, as clang-tidy.
add_custom_target(generated DEPENDS ${generated_sources})
add_library(fedtune_messages STATIC ${message_sources})
target_include_directories(fedtune_messages SYSTEM PUBLIC "$<BUILD_INTERFACE:${proto_out}>")
target_link_libraries(fedtune_messages PUBLIC gRPC::grpc++ protobuf::libprotobuf)
add_library(fedtune_proto STATIC ${service_sources})
target_link_libraries(fedtune_proto PUBLIC fedtune_messages)
# What protoc writes has the same names in every file.
set_target_properties(fedtune_messages fedtune_proto PROPERTIES UNITY_BUILD OFF)
