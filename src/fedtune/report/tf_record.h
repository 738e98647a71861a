// TensorBoard's files, byte by byte: TFRecord framing around protobuf messages of tensorflow.Event.
//
// Framing: https://www.tensorflow.org/tutorials/load_data/tfrecord ("TFRecords format details"). Fields: event.proto
// and summary.proto of TensorFlow; wire types: https://protobuf.dev/programming-guides/encoding. CRC-32C: RFC 3720,
// B.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fedtune::report {

// The Castagnoli checksum, reflected, as iSCSI has it.
std::uint32_t crc32c(std::string_view bytes);
// As TFRecord stores it: rotated and added to a constant, so that a record within a record does not check itself.
std::uint32_t masked_crc32c(std::string_view bytes);

// length (8 bytes, little-endian), masked checksum of the length (4), payload, masked checksum of the payload (4).
std::string tf_record(std::string_view payload);

struct Scalar {
  std::string tag;
  float value = 0.0F;
};

// tensorflow.Event, encoded.
struct BoardEvent {
  double wall_time = 0.0;  // seconds since 1970
  std::int64_t step = 0;
  std::string file_version{};  // "brain.Event:2" in a file's first event
  std::vector<Scalar> scalars{};
};
std::string encoded(const BoardEvent& event);

}  // namespace fedtune::report
