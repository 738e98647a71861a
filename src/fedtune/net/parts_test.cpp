#include "fedtune/net/parts.h"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"
#include "fedtune/v1/federation.pb.h"

namespace fedtune::net::wire {
namespace {

std::shared_ptr<const fed::Payload> payload_of(std::size_t numbers) {
  std::vector<float> values(numbers);
  std::iota(values.begin(), values.end(), 0.5f);
  return std::make_shared<fed::Payload>(
      test_tensors({{"a", {3}, {1, 2, 3}}, {"b", {static_cast<std::int64_t>(numbers)}, values}}));
}

std::string text_of(const std::vector<grpc::Slice>& slices) {
  std::string text;
  for (const grpc::Slice& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

std::string text_of(const fed::Payload& payload) {
  std::string text;
  for (const auto piece : payload.pieces(0, payload.size())) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  return text;
}

// The message cut into slices of `size` bytes.
grpc::ByteBuffer sliced(const std::string& message, std::size_t size) {
  std::vector<grpc::Slice> slices;
  for (std::size_t at = 0; at < message.size(); at += size) slices.emplace_back(message.substr(at, size));
  return {slices.data(), slices.size()};
}

TEST(Parts, AreTheMessagesOfTheContract) {
  const auto payload = payload_of(100'000);
  std::string arrived;
  for (std::size_t offset = 0; offset < payload->size();) {
    const Part part = payload_part(payload, offset);
    ASSERT_GT(part.bytes, 0u);
    v1::ContributionPart contribution;
    v1::InstructionPart instruction;
    ASSERT_TRUE(read_message(part.message, contribution));
    ASSERT_TRUE(read_message(part.message, instruction));
    EXPECT_EQ(contribution.payload(), instruction.payload());
    EXPECT_EQ(contribution.payload().size(), part.bytes);
    const auto pieces = payload_in(part.message);
    ASSERT_TRUE(pieces.has_value());
    EXPECT_EQ(text_of(*pieces), contribution.payload());
    arrived += contribution.payload();
    offset += part.bytes;
  }
  EXPECT_EQ(arrived, text_of(*payload));
}

TEST(Parts, ReadWhatProtobufWritesHoweverItIsSliced) {
  v1::ContributionPart part;
  part.set_payload(std::string(300, 'x') + "y");
  const std::string message = part.SerializeAsString();
  for (const std::size_t size : {1u, 2u, 3u, 100u, 1000u}) {
    const auto pieces = payload_in(sliced(message, size));
    ASSERT_TRUE(pieces.has_value()) << size;
    EXPECT_EQ(text_of(*pieces), part.payload()) << size;
  }
}

TEST(Parts, LeaveWhatIsNoPlainPayloadToProtobuf) {
  v1::ContributionPart part;
  part.set_payload("abc");
  const std::string message = part.SerializeAsString();
  EXPECT_FALSE(payload_in(grpc::ByteBuffer()).has_value());
  EXPECT_FALSE(payload_in(sliced(message.substr(0, message.size() - 1), 10)).has_value());  // cut
  EXPECT_FALSE(payload_in(sliced(message + message, 10)).has_value());                      // said twice
  EXPECT_FALSE(payload_in(sliced("\x12", 1)).has_value());
  EXPECT_FALSE(payload_in(sliced("\x12" + std::string(11, '\xff'), 20)).has_value());
  part.mutable_header()->set_round(1);
  EXPECT_FALSE(payload_in(message_from(part)).has_value());
  v1::ContributionPart read;
  EXPECT_FALSE(read_message(sliced("\x12\x05"
                                   "a",
                                   10),
                            read));
  EXPECT_FALSE(read_message(grpc::ByteBuffer(), read));
}

TEST(Parts, KeepThePayloadUntilTheyAreGone) {
  auto payload = payload_of(10);
  const std::string expected = text_of(*payload);
  Part part = payload_part(payload, 0);
  const std::weak_ptr<const fed::Payload> watched = payload;
  payload.reset();
  EXPECT_EQ(text_of(*payload_in(part.message)), expected);
  part = {};
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace fedtune::net::wire
