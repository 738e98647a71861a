#include "fedtune/net/client.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/base/plain_text.h"
#include "fedtune/net/channel.h"
#include "fedtune/net/instruction.h"
#include "fedtune/net/parts.h"
#include "fedtune/net/raw_call.h"
#include "fedtune/net/wire.h"
#include "fedtune/v1/federation.grpc.pb.h"

namespace fedtune::net {
namespace {

const std::string next_method = "/fedtune.v1.Federation/Next";
const std::string contribute_method = "/fedtune.v1.Federation/Contribute";

// Whether the same call may end differently when it is made again. RESOURCE_EXHAUSTED: the server's buffers are full.
bool passes(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED ||
         code == grpc::StatusCode::DEADLINE_EXCEEDED || code == grpc::StatusCode::UNKNOWN ||
         code == grpc::StatusCode::INTERNAL || code == grpc::StatusCode::RESOURCE_EXHAUSTED;
}

}  // namespace

class Client::Connection {
 public:
  explicit Connection(ClientOptions options)
      : options_(std::move(options)),
        channel_(channel_to(options_, wire::largest_message)),
        stub_(v1::Federation::NewStub(channel_)),
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
    Layout layout = wire::read_layout(reply);
    if (!run_.empty() && layout != layout_) {
      throw network_error("{} federates other tensors now than before; start this client anew", options_.server);
    }
    run_ = reply.run();
    seat_ = {.rank = options_.rank, .session = reply.session()};
    layout_ = std::move(layout);
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
          .round = errand->round, .rank = options_.rank, .global = errand->global->tensors()};
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
    std::chrono::milliseconds time{100};
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
      pause(*channel_, time);
      time = std::min(time * 2, std::chrono::milliseconds(2000));
    }
  }

  // The next errand; empty when the run is over.
  std::optional<fed::Errand> next() {
    // The last instruction's memory, where nobody holds on to it: a fresh one would have to be mapped page by page.
    if (!buffer_ || buffer_.use_count() > 1) buffer_ = std::make_shared<fed::Bytes>();
    const std::size_t expected = fed::payload_size(layout_);
    IncomingInstruction arrived(buffer_, expected);
    while (true) {
      const grpc::Status status = persist([&](grpc::ClientContext& call) {
        v1::NextRequest request;
        wire::write_seat(seat_, *request.mutable_seat());
        request.set_nonce(arrived.nonce());
        request.set_offset(arrived.payload()->size());
        RawCall next(channel_, call, next_method);
        next.write(wire::message_from(request));
        next.writes_done();
        grpc::ByteBuffer message;
        while (next.read(message)) {
          if (!arrived.take(message)) call.TryCancel();
        }
        const grpc::Status ended = next.finish();
        return arrived.is_over() ? grpc::Status::OK : ended;  // a server that has said so may go
      });
      if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) {
        if (!enrol()) throw network_error("{} has become another server", options_.server);
        continue;  // it was started anew
      }
      if (!status.ok()) throw network_error("{}: {}", options_.server, status.error_message());
      if (arrived.is_over()) return std::nullopt;
      if (arrived.is_whole()) break;
      throw network_error("{}: an instruction of {} bytes was sent, expected {}", options_.server,
                          arrived.payload()->size(), expected);
    }
    return fed::Errand{.round = arrived.round(),
                       .nonce = arrived.nonce(),
                       .global = std::make_shared<fed::Payload>(
                           fed::tensors_in(layout_, std::shared_ptr<const fed::Bytes>(arrived.payload())))};
  }

  void contribute(const fed::Errand& errand, const fed::Update& update) {
    const auto payload = std::make_shared<const fed::Payload>(update.tensors);
    const grpc::Status status = persist([&](grpc::ClientContext& call) { return send(call, errand, update, payload); });
    finish_round(errand, status, [&] {
      if (options_.watch.on_sent) options_.watch.on_sent(update);
    });
  }

  grpc::Status send(grpc::ClientContext& call, const fed::Errand& errand, const fed::Update& update,
                    const std::shared_ptr<const fed::Payload>& payload) {
    RawCall contribution(channel_, call, contribute_method);
    v1::ContributionPart part;
    v1::ContributionHeader& header = *part.mutable_header();
    wire::write_seat(seat_, *header.mutable_seat());
    header.set_nonce(errand.nonce);
    header.set_round(static_cast<std::uint32_t>(update.round));
    header.set_weight(update.weight);
    wire::write_report(update.report, *header.mutable_report());
    contribution.write(wire::message_from(part));
    grpc::ByteBuffer answer;
    v1::Proceed proceed;
    if (!contribution.read(answer) || !wire::read_message(answer, proceed)) return contribution.finish();
    bool open = true;
    for (std::size_t offset = proceed.offset(); open && offset < payload->size();) {
      const wire::Part next = wire::payload_part(payload, offset);
      open = contribution.write(next.message);
      offset += next.bytes;
    }
    contribution.writes_done();
    return contribution.finish();
  }

  void decline(const fed::Errand& errand, const std::string& reason) {
    v1::DeclineRequest request;
    wire::write_seat(seat_, *request.mutable_seat());
    request.set_nonce(errand.nonce);
    request.set_reason(plain_text(reason));
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
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Federation::Stub> stub_;
  Canceller canceller_;
  std::string run_;
  fed::Seat seat_;
  Layout layout_;
  std::shared_ptr<fed::Bytes> buffer_;
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
