#include "fedtune/net/service.h"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "fedtune/base/log.h"
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
class NextCall final : public grpc::ServerWriteReactor<v1::InstructionPart> {
 public:
  NextCall(fed::Board& board, const v1::NextRequest& request, const std::function<void()>& check)
      : board_(board), resumed_{request.nonce(), static_cast<std::size_t>(request.offset())} {
    const grpc::Status status = status_of([&] {
      check();
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
    if (!ok) {
      Finish(grpc::Status::CANCELLED);
    } else if (errand_ && offset_ < errand_->global->size()) {
      const std::span part = wire::part_at(*errand_->global, offset_);
      offset_ += part.size();
      wire::write_bytes(part, *part_.mutable_payload());
      StartWrite(&part_);
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
  void OnDone() override { delete this; }

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
      v1::InstructionHeader& header = *part_.mutable_header();
      header.set_round(static_cast<std::uint32_t>(errand->round));
      header.set_nonce(errand->nonce);
      header.set_offset(offset_);
      StartWrite(&part_);
    } else {
      part_.mutable_finished();
      StartWrite(&part_);
    }
  }
  // Ends the call unless an answer has begun.
  void end(const grpc::Status& status) {
    if (gate_->pass()) Finish(status);
  }

  struct Resumed {
    std::string nonce;
    std::size_t offset;
  };

  fed::Board& board_;
  const Resumed resumed_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::optional<fed::Errand> errand_;
  std::size_t offset_ = 0;
  v1::InstructionPart part_;
};

// A contribution arrives part by part.
class ContributeCall final : public grpc::ServerReadReactor<v1::ContributionPart> {
 public:
  ContributeCall(fed::Board& board, std::function<void(int rank)> check) : board_(board), check_(std::move(check)) {
    StartRead(&part_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return end();
    const grpc::Status status = status_of([&] { take(); });
    if (!status.ok()) return Finish(status);
    StartRead(&part_);
  }
  void OnDone() override { delete this; }

 private:
  void take() {
    if (part_.has_header()) {
      if (header_) throw fed::Rejected(fed::Rejected::Why::malformed, "a second header was sent");
      header_ = std::move(*part_.mutable_header());
      seat_ = wire::seat_from(header_->seat());
      check_(seat_.rank);
      offset_ = header_->offset();
      board_.append(seat_, header_->nonce(), offset_, {});  // is it wanted at all?
    } else if (!header_) {
      throw fed::Rejected(fed::Rejected::Why::malformed, "a payload was sent before its header");
    } else {
      const std::span bytes = wire::bytes_of(part_.payload());
      board_.append(seat_, header_->nonce(), offset_, bytes);
      offset_ += bytes.size();
    }
  }

  // The client has sent all; or the line was cut, and what has arrived stays for the next attempt.
  void end() {
    Finish(status_of([&] {
      if (!header_) throw fed::Rejected(fed::Rejected::Why::malformed, "nothing was sent");
      board_.complete(seat_, header_->nonce(),
                      {.round = static_cast<int>(header_->round()),
                       .weight = header_->weight(),
                       .report = wire::report_from(header_->report())});
    }));
  }

  fed::Board& board_;
  const std::function<void(int rank)> check_;
  v1::ContributionPart part_;
  std::optional<v1::ContributionHeader> header_;
  fed::Seat seat_;
  std::size_t offset_ = 0;
};

}  // namespace

grpc::ServerUnaryReactor* FederationService::Enrol(grpc::CallbackServerContext* context,
                                                   const v1::EnrolRequest* request, v1::EnrolReply* reply) {
  return answer(context, [&] {
    if (request->protocol() != wire::protocol) {
      throw fed::Rejected(fed::Rejected::Why::malformed,
                          fmt::format("the client speaks protocol {} (fedtune {}), this server {} (fedtune {})",
                                      request->protocol(), request->version(), wire::protocol, announcement_.version));
    }
    const int rank = rank_of(request->rank());
    doorman_.check(*context, rank);
    reply->set_session(board_.enrol(rank));
    reply->set_run(announcement_.run);
    reply->set_options(announcement_.options);
    reply->set_checkpoint_sha256(announcement_.checkpoint_sha256);
    reply->set_version(announcement_.version);
    wire::write_layout(announcement_.layout, *reply);
    log_debug("client {} of {} has enrolled", rank, context->peer());
  });
}

grpc::ServerUnaryReactor* FederationService::Standing(grpc::CallbackServerContext* context,
                                                      const v1::StandingRequest* request, v1::StandingReply* reply) {
  return answer(context, [&] {
    doorman_.check(*context, rank_of(request->seat().rank()));
    const fed::Board::Standing standing = board_.standing(wire::seat_from(request->seat()), request->nonce());
    reply->set_received(standing.received);
    reply->set_complete(standing.complete);
  });
}

grpc::ServerUnaryReactor* FederationService::Decline(grpc::CallbackServerContext* context,
                                                     const v1::DeclineRequest* request, v1::DeclineReply* /*reply*/) {
  return answer(context, [&] {
    doorman_.check(*context, rank_of(request->seat().rank()));
    board_.decline(wire::seat_from(request->seat()), request->nonce(), request->reason());
  });
}

grpc::ServerWriteReactor<v1::InstructionPart>* FederationService::Next(grpc::CallbackServerContext* context,
                                                                       const v1::NextRequest* request) {
  return new NextCall(board_, *request, [&] { doorman_.check(*context, rank_of(request->seat().rank())); });
}

grpc::ServerReadReactor<v1::ContributionPart>* FederationService::Contribute(grpc::CallbackServerContext* context,
                                                                             v1::ContributeReply* /*reply*/) {
  return new ContributeCall(board_, [this, context](int rank) { doorman_.check(*context, rank); });
}

}  // namespace fedtune::net
