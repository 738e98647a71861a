#include "fedtune/net/join_service.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/base/log.h"
#include "fedtune/net/flower.h"
#include "fedtune/net/wire.h"

namespace fedtune::net {
namespace {

using flower::proto::ClientMessage;
using flower::proto::ServerMessage;

// One client from its arrival to the end of the run: ask, hear, ask again.
class JoinCall final : public grpc::ServerBidiReactor<ClientMessage, ServerMessage> {
 public:
  JoinCall(const JoinService::Parts& parts, const grpc::CallbackServerContext& context) : parts_(parts) {
    const std::optional<fed::Seat> seat =
        parts_.board.enrol_free([&](int rank) { return parts_.doorman.admits(context, rank).is_ok(); });
    if (!seat) {
      Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "every client of this run is there already, or may not be you"});
      return;
    }
    seat_ = *seat;
    log_debug("client {} of {} has joined by Flower's wire", seat_.rank, context.peer());
    await();
  }

  void OnWriteDone(bool ok) override { ok ? StartRead(&heard_) : end(grpc::Status::CANCELLED); }
  void OnReadDone(bool ok) override {
    if (!ok) {
      parts_.board.depart(seat_, "it has disconnected");
      end(over_ ? grpc::Status::OK : grpc::Status::CANCELLED);
    } else if (over_) {
      end(grpc::Status::OK);
    } else {
      take();
      await();
    }
  }
  void OnCancel() override {
    // Where the call waits for the board, nothing else will end it.
    if (!state_->stop_waiting()) return;
    parts_.board.depart(seat_, "it has disconnected");
    end(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  // Whether the call waits for the board; shared with the callback that the board holds, which may come too late.
  struct State {
    std::mutex mutex;
    std::uint64_t turn = 0;  // of the wait that is under way; 0: none

    std::uint64_t begin_waiting(std::uint64_t next) {
      const std::scoped_lock lock(mutex);
      return turn = next;
    }
    bool stop_waiting(std::optional<std::uint64_t> of = {}) {
      const std::scoped_lock lock(mutex);
      if (turn == 0 || (of && *of != turn)) return false;
      turn = 0;
      return true;
    }
  };

  void await() {
    const std::uint64_t turn = state_->begin_waiting(++turns_);
    try {
      parts_.board.await(seat_, [state = state_, turn, this](const fed::Answer& answer) {
        if (state->stop_waiting(turn)) ask(answer);
      });
    } catch (const fed::Rejected& rejected) {
      if (state_->stop_waiting(turn)) end(wire::status_from(rejected));
    }
  }

  void ask(const fed::Answer& answer) {
    if (std::holds_alternative<fed::Superseded>(answer)) {
      return end({grpc::StatusCode::ABORTED, "another client has taken this place"});
    }
    said_.Clear();
    if (const auto* errand = std::get_if<fed::Errand>(&answer)) {
      errand_ = *errand;
      auto& fit = *said_.mutable_fit_ins();
      flower::write_parameters(errand->global->tensors(), *fit.mutable_parameters());
      (*fit.mutable_config())["server_round"].set_sint64(errand->round);
      (*fit.mutable_config())["rank"].set_sint64(seat_.rank);
    } else {
      over_ = true;
      said_.mutable_reconnect_ins();
    }
    StartWrite(&said_);
  }

  // A contribution, or the reason why there is none.
  void take() {
    try {
      const flower::Contribution sent = flower::contribution_in(heard_, parts_.layout);
      parts_.board.append(seat_, errand_.nonce, 0, *sent.payload);
      parts_.board.complete(seat_, errand_.nonce,
                            {.round = errand_.round,
                             .weight = static_cast<double>(sent.examples),
                             .report = {.sentences = sent.examples}});
    } catch (const Error& error) {
      decline(error.what());
    } catch (const fed::Rejected& rejected) {
      log_debug("client {}: {}", seat_.rank, rejected.what());  // too late: the next round will ask again
    }
    heard_.Clear();
  }

  void decline(const std::string& reason) {
    try {
      parts_.board.decline(seat_, errand_.nonce, reason);
    } catch (const fed::Rejected& rejected) {
      log_debug("client {}: {}", seat_.rank, rejected.what());  // nothing was owed
    }
  }

  void end(const grpc::Status& status) {
    if (!std::exchange(ended_, true)) Finish(status);
  }

  const JoinService::Parts parts_;
  fed::Seat seat_;
  fed::Errand errand_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::uint64_t turns_ = 0;
  ServerMessage said_;
  ClientMessage heard_;
  bool over_ = false;
  bool ended_ = false;
};

}  // namespace

grpc::ServerBidiReactor<ClientMessage, ServerMessage>* JoinService::Join(grpc::CallbackServerContext* context) {
  return new JoinCall(parts_, *context);
}

}  // namespace fedtune::net
