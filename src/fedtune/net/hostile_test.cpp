// One client of four sends what must not enter, on our wire and on Flower's: the run goes on, the reason is kept, and
// the bits are those of a run without that client. What TLS and the list of who may join refuse is in
// tests/integration/test_hostile.py.
#include <array>
#include <cmath>
#include <future>
#include <thread>

#include "flwr/proto/transport.grpc.pb.h"
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/format/npy.h"
#include "fedtune/format/tensor_hash.h"
#include "fedtune/net/client.h"
#include "fedtune/net/flower.h"
#include "fedtune/net/join_client.h"
#include "fedtune/net/testing.h"
#include "fedtune/net/wire.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {
namespace {

using fed::toy_size;
using fed::ToyTask;
using ::testing::HasSubstr;

constexpr int hostile = 2;
const fed::EngineOptions hostile_run{.rounds = 2, .clients = 4, .seed = fed::toy_seed};

std::string hash_without_the_hostile() {
  static const std::string hash = [] {
    ToyTask task;
    fed::ToyStrategy strategy;
    fed::ScriptedTransport transport(task, [](std::vector<fed::Update>& updates) {
      std::erase_if(updates, [](const fed::Update& update) { return update.rank == hostile; });
    });
    return final_sha256(fed::Engine(hostile_run, {.strategy = strategy, .transport = transport}).run().global);
  }();
  return hash;
}

std::shared_ptr<grpc::Channel> channel_to(const Server& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", server.port()), grpc::InsecureChannelCredentials(),
                                   arguments);
}

void expect_left_out(const fed::RunOutcome& run, const std::string& reason) {
  EXPECT_EQ(final_sha256(run.global), hash_without_the_hostile());
  for (int round = 1; round <= hostile_run.rounds; ++round) {
    const fed::RoundRecord& record = run.history.at(static_cast<std::size_t>(round));
    EXPECT_EQ(record.accepted.size(), 3u);
    ASSERT_FALSE(record.refused.empty());
    EXPECT_EQ(record.refused[0].rank, hostile);
    EXPECT_THAT(record.refused[0].reason, HasSubstr(reason));
  }
}

// ---------------------------------------------------------------------------------------------- our wire

std::string payload_text(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// What a contribution is made of, for a case to spoil.
struct Contribution {
  v1::ContributionHeader header{};
  std::string payload = payload_text(std::vector<float>(toy_size, 0.5f));
  bool header_first = true;
  bool header_twice = false;
};

// Sends whatever it is told, and declines where that was turned down, so that no round waits for its deadline.
class HostileClient {
 public:
  using Spoil = std::function<void(Contribution&)>;

  HostileClient(const Server& server, Spoil spoil)
      : stub_(v1::Federation::NewStub(channel_to(server))), spoil_(std::move(spoil)), ended_(std::async([this] {
          enrol();
          while (next()) contribute();
        })) {}

  // Why its calls were turned down.
  std::vector<std::string> outcome() {
    ended_.get();
    return reasons_;
  }

 private:
  void enrol() {
    grpc::ClientContext call;
    v1::EnrolRequest request;
    request.set_protocol(wire::protocol);
    request.set_rank(hostile);
    v1::EnrolReply reply;
    EXPECT_TRUE(stub_->Enrol(&call, request, &reply).ok());
    seat_.set_rank(hostile);
    seat_.set_session(reply.session());
  }

  bool next() {
    grpc::ClientContext call;
    v1::NextRequest request;
    *request.mutable_seat() = seat_;
    const auto reader = stub_->Next(&call, request);
    v1::InstructionPart part;
    bool over = false;
    while (reader->Read(&part)) {
      over = over || part.has_finished();
      if (part.has_header()) asked_ = part.header();
    }
    return reader->Finish().ok() && !over;
  }

  void contribute() {
    Contribution contribution;
    *contribution.header.mutable_seat() = seat_;
    contribution.header.set_nonce(asked_.nonce());
    contribution.header.set_round(asked_.round());
    contribution.header.set_weight(5.0);
    spoil_(contribution);
    if (const grpc::Status status = send(contribution); !status.ok()) decline(status.error_message());
  }

  grpc::Status send(const Contribution& contribution) {
    grpc::ClientContext call;
    const auto stream = stub_->Contribute(&call);
    v1::ContributionPart header, payload;
    *header.mutable_header() = contribution.header;
    payload.set_payload(contribution.payload);
    if (contribution.header_first) stream->Write(header);
    if (contribution.header_twice) stream->Write(header);
    stream->Write(payload);  // without waiting for the server's word to go on
    if (!contribution.header_first) stream->Write(header);
    stream->WritesDone();
    v1::Proceed proceed;
    while (stream->Read(&proceed)) {
    }
    return stream->Finish();
  }

  void decline(const std::string& reason) {
    reasons_.push_back(reason);
    grpc::ClientContext call;
    v1::DeclineRequest request;
    *request.mutable_seat() = seat_;
    request.set_nonce(asked_.nonce());
    request.set_reason(reason);
    v1::DeclineReply reply;
    EXPECT_TRUE(stub_->Decline(&call, request, &reply).ok());
  }

  std::unique_ptr<v1::Federation::Stub> stub_;
  Spoil spoil_;
  v1::Seat seat_;
  v1::InstructionHeader asked_;
  std::vector<std::string> reasons_;
  std::future<void> ended_;
};

struct WireCase {
  const char* name;
  const char* reason;
  HostileClient::Spoil spoil;
};

class Wire : public testing::TestWithParam<WireCase> {};

TEST_P(Wire, LeavesOutWhatIsMalformedAndNothingElse) {
  const auto server = serve_toy(hostile_run.clients);
  HostileClient client(*server, GetParam().spoil);
  std::vector<std::future<std::string>> honest;
  for (const int rank : {1, 3, 4}) {
    honest.push_back(std::async([&server, rank] {
      ToyTask task;
      try {
        Client one({.server = fmt::format("127.0.0.1:{}", server->port()), .rank = rank, .give_up = 20.0});
        one.enrol();
        one.serve(task);
      } catch (const std::exception& error) {
        return std::string(error.what());
      }
      return std::string();
    }));
  }
  expect_left_out(play_toy(*server, hostile_run), GetParam().reason);
  client.outcome();
  for (auto& one : honest) EXPECT_EQ(one.get(), "");
}

HostileClient::Spoil with_weight(double weight) {
  return [=](Contribution& c) { c.header.set_weight(weight); };
}
HostileClient::Spoil with_value(float value) {
  return [=](Contribution& c) {
    std::vector<float> values(toy_size, 0.5f);
    values[toy_size / 2] = value;
    c.payload = payload_text(values);
  };
}
HostileClient::Spoil with_bytes(std::size_t count) {
  return [=](Contribution& c) { c.payload.assign(count, '\1'); };
}

INSTANTIATE_TEST_SUITE_P(
    Each, Wire,
    testing::Values(WireCase{"WeightZero", "the weight is 0", with_weight(0.0)},
                    WireCase{"NegativeWeight", "the weight is -1", with_weight(-1.0)},
                    WireCase{"HugeWeight", "the weight is 1e+300", with_weight(1e300)},
                    WireCase{"WeightNan", "the weight is nan", with_weight(std::nan(""))},
                    WireCase{"WeightInfinite", "the weight is inf", with_weight(HUGE_VAL)},
                    WireCase{"Nan", "holds nan at index 500", with_value(std::nanf(""))},
                    WireCase{"Infinite", "holds inf at index 500", with_value(HUGE_VALF)},
                    WireCase{"HugeValue", "the norm of its values is 1e+30", with_value(1e30f)},
                    WireCase{"WrongRound", "it is for round 99", [](Contribution& c) { c.header.set_round(99); }},
                    WireCase{"AnotherType", "2000 bytes were sent, a contribution has 4000", with_bytes(2000)},
                    WireCase{"Empty", "0 bytes were sent, a contribution has 4000", with_bytes(0)},
                    WireCase{"OneByteShort", "3999 bytes were sent", with_bytes(3999)},
                    WireCase{"OneByteMore", "of a contribution's 4000 have arrived", with_bytes(4001)},
                    WireCase{"TooLarge", "larger than max", with_bytes(std::size_t{64} << 20U)},
                    WireCase{"NoHeader", "what was sent is no contribution's header",
                             [](Contribution& c) { c.header_first = false; }},
                    WireCase{"TwoHeaders", "what was sent is no part of a contribution",
                             [](Contribution& c) { c.header_twice = true; }},
                    WireCase{"AnothersNonce", "the round of this contribution is closed",
                             [](Contribution& c) { c.header.set_nonce(std::string(16, 'x')); }},
                    WireCase{"AnothersSession", "has no such session",
                             [](Contribution& c) { c.header.mutable_seat()->set_session(std::string(16, 'x')); }},
                    WireCase{"AnothersRank", "has no such session",
                             [](Contribution& c) { c.header.mutable_seat()->set_rank(1); }},
                    WireCase{"NoSuchRank", "has no such session",
                             [](Contribution& c) { c.header.mutable_seat()->set_rank(0xffffffffU); }}),
    [](const auto& info) { return std::string(info.param.name); });

// ---------------------------------------------------------------------------------------------- Flower's wire

using flower::proto::ClientMessage;
using flower::proto::ServerMessage;

struct JoinCase {
  const char* name;
  const char* reason;
  std::function<void(ClientMessage::FitRes&)> spoil;
};

// Sends what a case makes of a good answer until the run is over.
std::future<void> join_hostile(Server& server, const std::function<void(ClientMessage::FitRes&)>& spoil) {
  return std::async(std::launch::async, [&server, spoil] {
    const auto stub = flower::proto::FlowerService::NewStub(channel_to(server));
    grpc::ClientContext call;
    const auto stream = stub->Join(&call);
    ServerMessage asked;
    while (stream->Read(&asked) && asked.has_fit_ins()) {
      ClientMessage said;
      ClientMessage::FitRes& result = *said.mutable_fit_res();
      result.mutable_status();
      result.set_num_examples(5);
      flower::write_parameters(fed::toy_tensors(std::vector<float>(toy_size, 0.5f)), *result.mutable_parameters());
      spoil(result);
      if (!stream->Write(said)) break;
    }
    stream->WritesDone();
    stream->Finish();
  });
}

class FlowersWire : public testing::TestWithParam<JoinCase> {};

TEST_P(FlowersWire, LeavesOutWhatIsMalformedAndNothingElse) {
  const auto server = serve_toy(hostile_run.clients);
  std::vector<std::future<void>> joined;
  for (int rank = 1; rank <= hostile_run.clients; ++rank) {  // ranks are given in the order of arrival
    if (rank == hostile) {
      joined.push_back(join_hostile(*server, GetParam().spoil));
    } else {
      joined.push_back(std::async(std::launch::async, [&server, rank] {
        ToyTask task;
        join_flower({.server = fmt::format("127.0.0.1:{}", server->port()), .rank = rank, .give_up = 20.0},
                    {.task = task, .layout = fed::ToyStrategy().layout(), .initial = {}, .evaluate = {}});
      }));
    }
    const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    ASSERT_TRUE(server->board().await_present(std::array{rank}, 1, late));
  }
  expect_left_out(play_toy(*server, hostile_run), GetParam().reason);
  for (auto& one : joined) one.get();
}

std::function<void(ClientMessage::FitRes&)> with_array(const NamedTensors& tensors) {
  return [=](ClientMessage::FitRes& result) {
    result.mutable_parameters()->clear_tensors();
    flower::write_parameters(tensors, *result.mutable_parameters());
  };
}
std::function<void(ClientMessage::FitRes&)> with_stream(const std::string& stream) {
  return [=](ClientMessage::FitRes& result) { result.mutable_parameters()->set_tensors(0, stream); };
}
std::function<void(ClientMessage::FitRes&)> with_examples(std::int64_t count) {
  return [=](ClientMessage::FitRes& result) { result.set_num_examples(count); };
}
NamedTensors whole_numbers() {
  static const std::vector<std::int32_t> values(toy_size, 1);
  return {.tensors = {{"w", DType::i32, {static_cast<std::int64_t>(toy_size)}, std::as_bytes(std::span(values))}}};
}

INSTANTIATE_TEST_SUITE_P(
    Each, FlowersWire,
    testing::Values(
        JoinCase{"WeightZero", "the weight is 0", with_examples(0)},
        JoinCase{"NegativeWeight", "the weight is -3", with_examples(-3)},
        JoinCase{"HugeWeight", "the weight is 9.2", with_examples(std::numeric_limits<std::int64_t>::max())},
        JoinCase{"Nan", "holds nan at index 0", with_array(fed::toy_tensors(std::vector<float>(toy_size, NAN)))},
        JoinCase{"Infinite", "holds inf", with_array(fed::toy_tensors(std::vector<float>(toy_size, HUGE_VALF)))},
        JoinCase{"HugeValue", "the norm of its values",
                 with_array(fed::toy_tensors(std::vector<float>(toy_size, 1e30f)))},
        JoinCase{"AnotherShape", "array 1 is [3] of F32, expected w, [1000] of F32",
                 with_array(fed::toy_tensors({1, 2, 3}))},
        JoinCase{"AnotherType", "array 1 is [1000] of I32", with_array(whole_numbers())},
        JoinCase{"NoArrays", "0 arrays were sent, expected 1",
                 [](ClientMessage::FitRes& result) { result.clear_parameters(); }},
        JoinCase{"OneArrayMore", "2 arrays were sent, expected 1",
                 [](ClientMessage::FitRes& result) {
                   *result.mutable_parameters()->add_tensors() = result.parameters().tensors(0);
                 }},
        JoinCase{"NoArray", "array 1 (w)", with_stream("not an array")},
        JoinCase{"EmptyArray", "array 1 (w)", with_stream("")},
        JoinCase{"TruncatedArray", "array 1 (w)",
                 [](ClientMessage::FitRes& result) { result.mutable_parameters()->mutable_tensors(0)->resize(2000); }},
        JoinCase{"Failure", "the cat is on the keyboard",
                 [](ClientMessage::FitRes& result) {
                   result.mutable_status()->set_code(flower::proto::FIT_NOT_IMPLEMENTED);
                   result.mutable_status()->set_message("the cat is on the keyboard");
                 }}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fedtune::net
