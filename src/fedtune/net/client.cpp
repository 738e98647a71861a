#include "fedtune/net/client.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/net/channel.h"
#include "fedtune/net/wire.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {
namespace {

// Whether the same call may end differently when it is made again.
bool passes(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED ||
         code == grpc::StatusCode::DEADLINE_EXCEEDED || code == grpc::StatusCode::UNKNOWN ||
         code == grpc::StatusCode::INTERNAL;
}

}  // namespace

class Client::Connection {
 public:
  explicit Connection(ClientOptions options)
      : options_(std::move(options)),
        stub_(v1::Federation::NewStub(channel_to(options_, wire::largest_message))),
        canceller_(options_.stop) {}

  std::optional<Announcement> enrol() {
    v1::EnrolRequest request;
    request.set_protocol(wire::protocol);
    request.set_rank(static_cast<std::uint32_t>(options_.rank));
    request.set_version(options_.version);
    v1::EnrolReply reply;
    const grpc::Status status = persist([&](grpc::ClientContext& call) {
      reply.Clear();
      return stub_->Enrol(&call, request, &reply);
    });
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) return std::nullopt;
    if (!status.ok()) throw network_error("{}: {}", options_.server, status.error_message());
    if (!run_.empty() && run_ != reply.run()) {
      throw network_error("{} serves another run now ({}, before it was {}); start this client anew", options_.server,
                          reply.run(), run_);
    }
    run_ = reply.run();
    seat_ = {.rank = options_.rank, .session = reply.session()};
    layout_ = wire::read_layout(reply);
    return Announcement{.run = run_,
                        .options = reply.options(),
                        .checkpoint_sha256 = reply.checkpoint_sha256(),
                        .layout = layout_,
                        .version = reply.version()};
  }

  void serve(fed::LocalTask& task) {
    while (const std::optional<fed::Errand> errand = next()) {
      if (options_.watch.on_instruction) options_.watch.on_instruction(errand->round);
      const fed::Instruction instruction{
          .round = errand->round, .rank = options_.rank, .global = fed::tensors_in(layout_, errand->global)};
      std::optional<fed::Update> update;
      try {
        update = task.train(instruction, [this] { return canceller_.stopped(); });
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& error) {
        decline(*errand, error.what());
      }
      if (update) contribute(*errand, *update);
    }
  }

 private:
  // Makes a call until it ends in a way that another attempt would not change, with growing pauses; throws
  // Error(network) after `give_up` seconds.
  template <typename Body>
  grpc::Status persist(Body&& body) {
    std::optional<Stopwatch> lost;
    std::chrono::milliseconds pause{100};
    while (true) {
      grpc::ClientContext call;
      canceller_.set(&call);
      const grpc::Status status = body(call);
      canceller_.set(nullptr);
      if (canceller_.stopped()) throw Interrupted(interrupt_signal());
      if (!passes(status.error_code())) return status;
      if (!lost) {
        lost.emplace();
        if (options_.watch.on_lost) options_.watch.on_lost(status.error_message());
      }
      if (lost->seconds() > options_.give_up) {
        throw network_error("{} was not reached for {} s: {}; is the server running there?", options_.server,
                            options_.give_up, status.error_message());
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds(2000));
    }
  }

  // The next errand; empty when the run is over.
  std::optional<fed::Errand> next() {
    fed::Errand errand;
    auto arrived = std::make_shared<fed::Bytes>();
    const std::size_t expected = fed::payload_size(layout_);
    bool over = false;
    while (true) {
      const grpc::Status status = persist([&](grpc::ClientContext& call) {
        v1::NextRequest request;
        wire::write_seat(seat_, *request.mutable_seat());
        request.set_nonce(errand.nonce);
        request.set_offset(arrived->size());
        const auto reader = stub_->Next(&call, request);
        v1::InstructionPart part;
        while (reader->Read(&part)) {
          over = part.has_finished();
          if (!take(part, errand, *arrived, expected)) call.TryCancel();
        }
        return reader->Finish();
      });
      if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
        if (!enrol()) throw network_error("{} has become another server", options_.server);
        continue;  // it was started anew
      }
      if (!status.ok()) throw network_error("{}: {}", options_.server, status.error_message());
      if (over) return std::nullopt;
      if (!errand.nonce.empty() && arrived->size() == expected) break;
      throw network_error("{}: an instruction of {} bytes was sent, expected {}", options_.server, arrived->size(),
                          expected);
    }
    errand.global = std::move(arrived);
    return errand;
  }

  // False: the server sends what cannot be right.
  static bool take(const v1::InstructionPart& part, fed::Errand& errand, fed::Bytes& arrived, std::size_t expected) {
    if (part.has_header()) {
      const v1::InstructionHeader& header = part.header();
      if (header.offset() > arrived.size()) return false;
      errand.round = static_cast<int>(header.round());
      errand.nonce = header.nonce();
      arrived.resize(header.offset());  // another errand than the one that was cut starts anew
      arrived.reserve(expected);
    } else if (part.part_case() == v1::InstructionPart::kPayload) {
      const std::span bytes = wire::bytes_of(part.payload());
      if (bytes.size() > expected - arrived.size()) return false;
      arrived.insert(arrived.end(), bytes.begin(), bytes.end());
    }
    return true;
  }

  void contribute(const fed::Errand& errand, const fed::Update& update) {
    const std::shared_ptr<const fed::Bytes> payload = fed::payload_of(update.tensors);
    bool first = true;
    const grpc::Status status = persist([&](grpc::ClientContext& call) {
      std::size_t offset = 0;
      if (!std::exchange(first, false)) {
        const grpc::Status asked = standing(errand, offset);
        if (!asked.ok()) return asked;
      }
      return send(call, errand, update, *payload, offset);
    });
    finish_round(errand, status, [&] {
      if (options_.watch.on_sent) options_.watch.on_sent(update);
    });
  }

  grpc::Status standing(const fed::Errand& errand, std::size_t& received) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::StandingRequest request;
    wire::write_seat(seat_, *request.mutable_seat());
    request.set_nonce(errand.nonce);
    v1::StandingReply reply;
    grpc::Status status = stub_->Standing(&call, request, &reply);
    received = reply.received();
    if (status.ok() && reply.complete()) return {grpc::StatusCode::ALREADY_EXISTS, "it has arrived"};
    return status;
  }

  grpc::Status send(grpc::ClientContext& call, const fed::Errand& errand, const fed::Update& update,
                    const fed::Bytes& payload, std::size_t offset) {
    v1::ContributeReply reply;
    const auto writer = stub_->Contribute(&call, &reply);
    v1::ContributionPart part;
    v1::ContributionHeader& header = *part.mutable_header();
    wire::write_seat(seat_, *header.mutable_seat());
    header.set_nonce(errand.nonce);
    header.set_round(static_cast<std::uint32_t>(update.round));
    header.set_offset(offset);
    header.set_weight(update.weight);
    wire::write_report(update.report, *header.mutable_report());
    bool open = writer->Write(part);
    while (open && offset < payload.size()) {
      const std::span next = wire::part_at(payload, offset);
      wire::write_bytes(next, *part.mutable_payload());
      open = writer->Write(part);
      offset += next.size();
    }
    writer->WritesDone();
    return writer->Finish();
  }

  void decline(const fed::Errand& errand, const std::string& reason) {
    v1::DeclineRequest request;
    wire::write_seat(seat_, *request.mutable_seat());
    request.set_nonce(errand.nonce);
    request.set_reason(reason);
    v1::DeclineReply reply;
    const grpc::Status status =
        persist([&](grpc::ClientContext& call) { return stub_->Decline(&call, request, &reply); });
    finish_round(errand, status, [&] {
      if (options_.watch.on_refused) options_.watch.on_refused(errand.round, reason);
    });
  }

  // What the answer to a contribution means: done, too late, or the server was started anew and asks again.
  void finish_round(const fed::Errand& errand, const grpc::Status& status, const std::function<void()>& done) {
    switch (status.error_code()) {
      case grpc::StatusCode::OK:
      case grpc::StatusCode::ALREADY_EXISTS:
        return done();
      case grpc::StatusCode::FAILED_PRECONDITION:
      case grpc::StatusCode::UNAUTHENTICATED:
      case grpc::StatusCode::INVALID_ARGUMENT:
        if (options_.watch.on_refused) options_.watch.on_refused(errand.round, status.error_message());
        return;
      default:
        throw network_error("{}: {}", options_.server, status.error_message());
    }
  }

  const ClientOptions options_;
  std::unique_ptr<v1::Federation::Stub> stub_;
  Canceller canceller_;
  std::string run_;
  fed::Seat seat_;
  Layout layout_;
};

Client::Client(ClientOptions options) : connection_(std::make_unique<Connection>(std::move(options))) {}
Client::~Client() = default;

std::optional<Announcement> Client::enrol() {
  return connection_->enrol();
}
void Client::serve(fed::LocalTask& task) {
  connection_->serve(task);
}

}  // namespace fedtune::net
