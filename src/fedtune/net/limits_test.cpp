// What a server lets a client use: time, connections, memory (net/limits.h).
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "fedtune/fed/toy_federation.h"
#include "fedtune/net/client.h"
#include "fedtune/net/server.h"
#include "fedtune/net/wire.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::size_t part_bytes = std::size_t{1} << 20U;

std::chrono::system_clock::time_point in(seconds time) {
  return std::chrono::system_clock::now() + time;
}

// A run whose first round has been opened to every client.
class OpenRound {
 public:
  OpenRound(int clients, std::size_t payload_bytes, const Limits& limits)
      : layout_{{"w", DType::f32, {static_cast<std::int64_t>(payload_bytes / sizeof(float))}}},
        server_({.address = "127.0.0.1:0", .clients = clients, .limits = limits}, {.run = "r", .layout = layout_}) {
    const NamedTensors global = fed::toy_tensors(std::vector<float>(payload_bytes / sizeof(float), 0.5f));
    std::vector<int> cohort;
    for (int rank = 1; rank <= clients; ++rank) cohort.push_back(rank);
    server_.board().open(1, std::make_shared<const fed::Payload>(global), cohort);
  }

  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }
  std::shared_ptr<grpc::Channel> channel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  }
  bool contribution_comes() {
    const auto delivery = server_.board().next(std::chrono::steady_clock::now() + std::chrono::hours(1));
    return delivery && std::holds_alternative<fed::Update>(*delivery);
  }
  void finish() { server_.finish(60.0); }

 private:
  Layout layout_;
  Server server_;
};

// A client, one step at a time.
class Hand {
 public:
  Hand(std::shared_ptr<grpc::Channel> channel, int rank)
      : channel_(std::move(channel)), stub_(v1::Federation::NewStub(channel_)) {
    seat_.set_rank(static_cast<std::uint32_t>(rank));
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  v1::Federation::Stub& stub() { return *stub_; }
  const v1::Seat& seat() const { return seat_; }

  grpc::Status enrol(bool compressed = false) {
    grpc::ClientContext call;
    call.set_deadline(in(seconds(60)));
    if (compressed) call.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    v1::EnrolRequest request;
    request.set_protocol(wire::protocol);
    request.set_rank(seat_.rank());
    request.set_version(std::string(10000, 'v'));
    v1::EnrolReply reply;
    const grpc::Status status = stub_->Enrol(&call, request, &reply);
    seat_.set_session(reply.session());
    return status;
  }

  // The instruction's bytes, which are thrown away.
  std::size_t read_instruction() {
    grpc::ClientContext call;
    v1::NextRequest request;
    *request.mutable_seat() = seat_;
    const auto stream = stub_->Next(&call, request);
    v1::InstructionPart part;
    std::size_t bytes = 0;
    while (stream->Read(&part)) {
      if (part.has_header()) nonce_ = part.header().nonce();
      bytes += part.payload().size();
    }
    EXPECT_TRUE(stream->Finish().ok());
    return bytes;
  }

  struct Sent {
    std::size_t from = 0;  // the byte from which the server wanted it
    grpc::Status status{};
  };
  // The contribution up to the byte `end` of `all`; short of all, it says no more and waits.
  Sent contribute(std::size_t end, std::size_t all) {
    grpc::ClientContext call;
    const auto stream = stub_->Contribute(&call);
    v1::ContributionPart part;
    *part.mutable_header()->mutable_seat() = seat_;
    part.mutable_header()->set_nonce(nonce_);
    part.mutable_header()->set_round(1);
    part.mutable_header()->set_weight(1.0);
    stream->Write(part);
    v1::Proceed proceed;
    if (stream->Read(&proceed)) {
      for (std::size_t offset = proceed.offset(); offset < end; offset += part.payload().size()) {
        part.set_payload(std::string(std::min(part_bytes, end - offset), '\0'));
        if (!stream->Write(part)) break;
      }
      if (end == all) stream->WritesDone();
      v1::Proceed nothing;
      while (stream->Read(&nothing)) {
      }
    }
    return {.from = proceed.offset(), .status = stream->Finish()};
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Federation::Stub> stub_;
  v1::Seat seat_;
  std::string nonce_;
};

TEST(Limits, EndTheCallOfASenderThatFellAsleepAndKeepWhatItSent) {
  constexpr std::size_t bytes = 4 * part_bytes;
  OpenRound round(1, bytes, {.send = 1.0});
  Hand client(round.channel(), 1);
  ASSERT_TRUE(client.enrol().ok());
  ASSERT_EQ(client.read_instruction(), bytes);
  const Hand::Sent stalled = client.contribute(bytes / 2, bytes);
  EXPECT_EQ(stalled.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(stalled.status.error_message(), HasSubstr("--send-timeout"));
  const Hand::Sent whole = client.contribute(bytes, bytes);
  EXPECT_TRUE(whole.status.ok()) << whole.status.error_message();
  EXPECT_EQ(whole.from, bytes / 2);
  EXPECT_TRUE(round.contribution_comes());
}

// Asks for its instruction and never reads it.
class Sleeper final : public grpc::ClientReadReactor<v1::InstructionPart> {
 public:
  explicit Sleeper(Hand& client) {
    *request_.mutable_seat() = client.seat();
    client.stub().async()->Next(&call_, &request_, this);
    StartCall();
  }
  void OnDone(const grpc::Status& status) override { ended_.set_value(status); }
  grpc::Status give_up() {
    call_.TryCancel();
    return ended_.get_future().get();
  }

 private:
  grpc::ClientContext call_;
  v1::NextRequest request_;
  std::promise<grpc::Status> ended_;
};

TEST(Limits, CutTheCallOfAReaderThatDoesNotRead) {
  constexpr std::size_t bytes = 64 * part_bytes;  // more than gRPC takes in advance
  OpenRound round(1, bytes, {.idle = 0.2, .send = 0.5});
  Hand client(round.channel(), 1);
  ASSERT_TRUE(client.enrol().ok());
  Sleeper sleeper(client);
  EXPECT_TRUE(client.channel()->WaitForStateChange(GRPC_CHANNEL_READY, in(seconds(60)))) << "the call is still open";
  EXPECT_EQ(sleeper.give_up().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(client.read_instruction(), bytes) << "it is awake again";
}

TEST(Limits, CloseAConnectionThatIsIdle) {
  OpenRound round(1, part_bytes, {.idle = 0.2});
  Hand client(round.channel(), 1);
  ASSERT_TRUE(client.enrol().ok());
  EXPECT_TRUE(client.channel()->WaitForStateChange(GRPC_CHANNEL_READY, in(seconds(60))));
  EXPECT_TRUE(client.enrol().ok()) << "it comes back";
}

TEST(Limits, DisconnectWhoeverIsOneTooMany) {
  OpenRound round(3, part_bytes, {.connections = 2});
  auto first = std::make_unique<Hand>(round.channel(), 1);
  Hand second(round.channel(), 2), third(round.channel(), 3);
  ASSERT_TRUE(first->enrol().ok());
  ASSERT_TRUE(second.enrol().ok());
  EXPECT_EQ(third.enrol().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(second.enrol().ok());
  first.reset();
  EXPECT_TRUE(third.channel()->WaitForConnected(in(seconds(60))));
  EXPECT_TRUE(third.enrol().ok());
}

TEST(Limits, RefuseACompressedMessage) {
  OpenRound round(1, part_bytes, {});
  Hand client(round.channel(), 1);
  EXPECT_EQ(client.enrol(true).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(client.enrol().ok());
}

// Sends back what it was given.
class Echo final : public fed::LocalTask {
 public:
  fed::Update train(const fed::Instruction& instruction, const std::function<bool()>&) override {
    return {.round = instruction.round, .rank = instruction.rank, .tensors = instruction.global, .weight = 1.0};
  }
};

// Calls that find no room end early, and clients make them again.
TEST(Limits, LetManyLargeContributionsThroughSmallBuffers) {
  constexpr int clients = 8;
  OpenRound round(clients, 8 * part_bytes, {.buffers = 16 * part_bytes});
  std::vector<std::future<void>> ended;
  for (int rank = 1; rank <= clients; ++rank) {
    ended.push_back(std::async(std::launch::async, [&round, rank] {
      Client client({.server = round.address(), .rank = rank});
      client.enrol();
      Echo echo;
      client.serve(echo);
    }));
  }
  for (int i = 0; i < clients; ++i) EXPECT_TRUE(round.contribution_comes());
  round.finish();
  for (auto& one : ended) EXPECT_NO_THROW(one.get());
}

}  // namespace
}  // namespace fedtune::net
