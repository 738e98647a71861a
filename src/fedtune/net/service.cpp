#include "fedtune/net/service.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <grpcpp/alarm.h>

#include "fedtune/base/log.h"
#include "fedtune/net/contribution.h"
#include "fedtune/net/pace.h"
#include "fedtune/net/parts.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

// What `body` throws, as a status.
template <typename Body>
grpc::Status status_of(Body&& body) {
  try {
    std::forward<Body>(body)();
    return grpc::Status::OK;
  } catch (const fed::Rejected& rejected) {
    return wire::status_from(rejected);
  } catch (const std::exception& error) {
    return {grpc::StatusCode::INTERNAL, error.what()};
  }
}

template <typename Body>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, Body&& body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status_of(std::forward<Body>(body)));
  return reactor;
}

int rank_of(std::uint32_t sent) {
  return static_cast<int>(std::min(sent, 0x7fffffffU));
}

// A client waits for its instruction and is sent it part by part.
class NextCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  NextCall(const FederationService::Parts& parts, const grpc::ByteBuffer& asked, grpc::CallbackServerContext& context)
      : board_(parts.board),
        // A client that does not read would keep this round's instruction in memory for good. A write that waits for it
        // is in the way of a last word, so the call is cut.
        pace_({.seconds = parts.limits.send, .least = Limits::least}, [&context] { context.TryCancel(); }) {
    const grpc::Status status = status_of([&] {
      v1::NextRequest request;
      if (!wire::read_message(asked, request)) {
        throw fed::Rejected(fed::Rejected::Why::malformed, "what was sent is no NextRequest");
      }
      parts.doorman.check(context, rank_of(request.seat().rank()));
      resumed_ = {.nonce = request.nonce(), .offset = static_cast<std::size_t>(request.offset())};
      const std::uint64_t ticket =
          board_.await(wire::seat_from(request.seat()), [gate = gate_, this](const fed::Answer& given) {
            if (gate->pass()) begin(given);
          });
      const std::scoped_lock lock(gate_->mutex);
      gate_->ticket = ticket;
    });
    if (!status.ok()) end(status);
  }

  void OnWriteDone(bool ok) override {
    if (ok) pace_.made(last_);
    if (!ok) {
      Finish(grpc::Status::CANCELLED);
    } else if (errand_ && offset_ < errand_->global->size()) {
      wire::Part part = wire::payload_part(errand_->global, offset_);
      offset_ += part.bytes;
      last_ = part.bytes;
      send(std::move(part.message));
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnCancel() override {
    std::uint64_t ticket = 0;
    {
      const std::scoped_lock lock(gate_->mutex);
      ticket = gate_->ticket;
    }
    board_.forget(ticket);
    end(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    pace_.end();
    delete this;
  }

 private:
  // Between the engine's thread, which brings the answer, and gRPC's, which may end the call: whoever passes first
  // finishes the call, so the call lives until then.
  struct Gate {
    std::mutex mutex;
    bool passed = false;
    std::uint64_t ticket = 0;

    bool pass() {
      const std::scoped_lock lock(mutex);
      return !std::exchange(passed, true);
    }
  };

  void begin(const fed::Answer& given) {
    if (std::holds_alternative<fed::Superseded>(given)) {
      Finish({grpc::StatusCode::ABORTED, "another program has enrolled under this rank"});
    } else if (const auto* errand = std::get_if<fed::Errand>(&given)) {
      errand_ = *errand;
      if (resumed_.nonce == errand->nonce && resumed_.offset <= errand->global->size()) offset_ = resumed_.offset;
      v1::InstructionPart part;
      v1::InstructionHeader& header = *part.mutable_header();
      header.set_round(static_cast<std::uint32_t>(errand->round));
      header.set_nonce(errand->nonce);
      header.set_offset(offset_);
      pace_.begin();
      send(wire::message_from(part));
    } else {
      v1::InstructionPart part;
      part.mutable_finished();
      send(wire::message_from(part));
    }
  }
  void send(grpc::ByteBuffer message) {
    message_ = std::move(message);
    StartWrite(&message_);
  }
  // Ends the call unless an answer has begun.
  void end(const grpc::Status& status) {
    if (gate_->pass()) Finish(status);
  }

  struct Resumed {
    std::string nonce;
    std::size_t offset = 0;
  };

  fed::Board& board_;
  Pace pace_;  // of an instruction
  Resumed resumed_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::optional<fed::Errand> errand_;
  std::size_t offset_ = 0;
  std::size_t last_ = 0;  // bytes of the payload in the message that is being written
  grpc::ByteBuffer message_;
};

// For so long a client that wants to send waits for a place; then it is let in without one, so that senders that have
// fallen asleep hold up nobody for longer.
constexpr std::chrono::seconds patience{1};

// A contribution: its header, then our word to go on, then its payload part by part.
class ContributeCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  ContributeCall(const FederationService::Parts& parts, std::function<void(int rank)> check)
      : contribution_(parts.board),
        turnstile_(parts.turnstile),
        check_(std::move(check)),
        pace_({.seconds = parts.limits.send, .least = Limits::least}, [this, seconds = parts.limits.send] {
          Finish({grpc::StatusCode::DEADLINE_EXCEEDED,
                  fmt::format("less than {} kB came in {} s; the server expects more (--send-timeout)",
                              Limits::least >> 10U, seconds)});
        }) {
    pace_.begin();
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return end();
    const bool payload = contribution_.has_header();
    const grpc::Status status =
        status_of([&] { payload ? pace_.made(contribution_.take_payload(message_)) : take_header(); });
    if (!status.ok()) return finish(status);
    payload ? StartRead(&message_) : wait_for_a_place();
  }
  void OnWriteDone(bool ok) override { ok ? StartRead(&message_) : finish(grpc::Status::CANCELLED); }
  void OnCancel() override {
    if (wait_->end()) Finish(grpc::Status::CANCELLED);  // nothing else would end the call
  }
  void OnDone() override {
    if (has_place_) turnstile_.leave();
    delete this;
  }

 private:
  // Whether the call waits for a place: the turnstile, the alarm and the client's going are all that end it, and the
  // first does. Shared, since the turnstile may offer a place to a call that has gone.
  struct Wait {
    std::mutex mutex;
    bool waiting = false;

    void begin() {
      const std::scoped_lock lock(mutex);
      waiting = true;
    }
    bool end() {
      const std::scoped_lock lock(mutex);
      return std::exchange(waiting, false);
    }
  };

  void take_header() {
    contribution_.take_header(message_);
    check_(contribution_.seat().rank);
    contribution_.begin();  // is it wanted at all?
  }

  // Nothing is expected of a client that waits for a place.
  void wait_for_a_place() {
    if (!pace_.end()) return;
    wait_->begin();
    alarm_.Set(std::chrono::system_clock::now() + patience, [wait = wait_, this](bool rung) {
      if (rung && wait->end()) proceed();
    });
    turnstile_.enter([wait = wait_, this] {
      if (!wait->end()) return false;
      has_place_ = true;
      proceed();
      return true;
    });
  }

  void proceed() {
    const grpc::Status status = status_of([&] {
      v1::Proceed proceed;
      proceed.set_offset(contribution_.begin());
      answer_ = wire::message_from(proceed);
    });
    if (!status.ok()) return Finish(status);
    pace_.begin();
    StartWrite(&answer_);
  }

  // The client has sent all; or the line was cut, and what has arrived stays for the next attempt.
  void end() {
    if (!pace_.end()) return;
    Finish(status_of([&] { contribution_.complete(); }));
  }

  void finish(const grpc::Status& status) {
    if (pace_.end()) Finish(status);
  }

  IncomingContribution contribution_;
  Turnstile& turnstile_;
  const std::function<void(int rank)> check_;
  Pace pace_;
  std::shared_ptr<Wait> wait_ = std::make_shared<Wait>();
  grpc::Alarm alarm_;
  bool has_place_ = false;
  grpc::ByteBuffer message_, answer_;
};

}  // namespace

grpc::ServerUnaryReactor* FederationService::Enrol(grpc::CallbackServerContext* context,
                                                   const v1::EnrolRequest* request, v1::EnrolReply* reply) {
  return answer(context, [&] {
    if (request->protocol() != wire::protocol) {
      throw fed::Rejected(
          fed::Rejected::Why::malformed,
          fmt::format("the client speaks protocol {} (fedtune {}), this server {} (fedtune {})", request->protocol(),
                      request->version(), wire::protocol, parts_.announcement.version));
    }
    const int rank = rank_of(request->rank());
    parts_.doorman.check(*context, rank);
    reply->set_session(parts_.board.enrol(rank));
    reply->set_run(parts_.announcement.run);
    reply->set_options(parts_.announcement.options);
    reply->set_checkpoint_sha256(parts_.announcement.checkpoint_sha256);
    reply->set_version(parts_.announcement.version);
    wire::write_layout(parts_.announcement.layout, *reply);
    log_debug("client {} of {} has enrolled", rank, context->peer());
  });
}

grpc::ServerUnaryReactor* FederationService::Decline(grpc::CallbackServerContext* context,
                                                     const v1::DeclineRequest* request, v1::DeclineReply* /*reply*/) {
  return answer(context, [&] {
    parts_.doorman.check(*context, rank_of(request->seat().rank()));
    parts_.board.decline(wire::seat_from(request->seat()), request->nonce(), request->reason());
  });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* FederationService::Next(grpc::CallbackServerContext* context,
                                                                    const grpc::ByteBuffer* request) {
  return new NextCall(parts_, *request, *context);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* FederationService::Contribute(
    grpc::CallbackServerContext* context) {
  return new ContributeCall(parts_, [this, context](int rank) { parts_.doorman.check(*context, rank); });
}

}  // namespace fedtune::net
