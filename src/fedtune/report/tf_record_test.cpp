#include "fedtune/report/tf_record.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace fedtune::report {
namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// RFC 3720, B.4, and the check value of the catalogue of CRCs.
TEST(TfRecord, ChecksumIsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

// Bytes written by tensorboard 2.21's own RecordWriter and Event for the same fields.
TEST(TfRecord, ARecordOfScalarsHasTheBytesThatTensorBoardWrites) {
  const BoardEvent event{.wall_time = 1.5, .step = 300, .scalars = {{"a/b", 0.25F}}};
  EXPECT_EQ(hex(tf_record(encoded(event))),
            "1a00000000000000129bd82d09000000000000f83f10ac022a0c0a0a0a03612f62150000803ef9cde7ed");
}

TEST(TfRecord, TheFirstRecordOfAFileHasTheBytesThatTensorBoardWrites) {
  const BoardEvent event{.wall_time = 2.0, .file_version = "brain.Event:2"};
  EXPECT_EQ(hex(tf_record(encoded(event))),
            "1800000000000000a37f4b220900000000000000401a0d627261696e2e4576656e743a32ff2ee0e7");
}

}  // namespace
}  // namespace fedtune::report
