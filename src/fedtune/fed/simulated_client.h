// For tests: a client as the network's clients are, over a simulated network. It crashes, comes back, declines, says
// what it has said before, and may be made to lie.
#pragma once

#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "fedtune/fed/simulated_network.h"
#include "fedtune/fed/toy_federation.h"

namespace fedtune::fed {

// Probabilities are of each instruction.
struct Temper {
  double training = 0.5;  // seconds, the mean
  double crash = 0.0;     // to crash before it has answered, and come back
  double hang = 0.0;      // to be silent for a minute
  double decline = 0.0;
  double lie = 0.0;     // to send what must not enter
  double repeat = 0.0;  // to say it again, later
  double added = 0.0;   // to its weight when it does: what is said first counts
};

class SimulatedClient {
 public:
  struct Parts {
    VirtualClock& clock;
    SimulatedNetwork& network;
    RandomStream& chance;
  };
  SimulatedClient(int rank, const Parts& parts, const Temper& temper) : parts_(parts), temper_(temper) {
    seat_.rank = rank;
  }

  void start(double after) {
    later(after, [this] { enrol(); });
  }
  bool is_over() const { return over_; }
  // It answers well within any deadline.
  void calm_down() { temper_ = {.training = 0.2}; }

 private:
  // What happens only if the client has not crashed meanwhile.
  template <typename Body>
  auto alive(Body body) {
    return [this, life = life_, body = std::move(body)](auto&&... arguments) {
      if (life == life_) body(std::forward<decltype(arguments)>(arguments)...);
    };
  }
  template <typename Body>
  void later(double seconds, Body body) {
    parts_.clock.after(seconds, alive(std::move(body)));
  }
  bool happens(double probability) { return parts_.chance.uniform() < probability; }
  double pause() { return 0.1 + parts_.chance.uniform(); }

  void enrol() {
    parts_.network.call<std::string>([rank = seat_.rank](Board& board, const auto& reply) { reply(board.enrol(rank)); },
                                     alive([this](const Result<std::string>& result) {
                                       if (!result.reply) return later(pause(), [this] { enrol(); });
                                       seat_.session = *result.reply;
                                       next();
                                     }));
  }

  void next() {
    parts_.network.call<Answer>([seat = seat_](Board& board, const auto& reply) { board.await(seat, reply); },
                                alive([this](const Result<Answer>& result) {
                                  if (result.rejected) return enrol();
                                  if (!result.reply) return later(pause(), [this] { next(); });
                                  take(*result.reply);
                                }));
  }

  void take(const Answer& answer) {
    if (std::holds_alternative<RunOver>(answer)) {
      over_ = true;
    } else if (const auto* errand = std::get_if<Errand>(&answer)) {
      carry_out(*errand);
    } else {
      later(pause(), [this] { next(); });  // its own call, doubled, waits in this one's place
    }
  }

  void carry_out(const Errand& errand) {
    if (happens(temper_.crash)) return crash();
    if (happens(temper_.hang)) return later(60.0, [this] { next(); });
    if (happens(temper_.decline)) {
      parts_.network.call<bool>(
          [seat = seat_, nonce = errand.nonce](Board& board, const auto& reply) {
            board.decline(seat, nonce, "it would rather not");
            reply(true);
          },
          alive([this](const Result<bool>& result) { settled(result); }));
      return;
    }
    later(temper_.training * 2.0 * parts_.chance.uniform(), [this, errand] { answer(errand); });
  }

  void crash() {
    ++life_;
    seat_.session.clear();
    start(5.0 * parts_.chance.uniform());
  }

  void answer(const Errand& errand) {
    Update update = toy_update({.round = errand.round, .rank = seat_.rank, .global = errand.global->tensors()});
    const bool lies = happens(temper_.lie);
    const bool cuts = lies && parts_.chance.below(3) == 0;
    if (lies && !cuts) lie(update);
    auto payload = copy_of(Payload(update.tensors));
    const Sent sent{.errand = errand, .update = update, .payload = cuts ? cut(*payload) : payload, .lies = lies};
    if (happens(temper_.crash)) {  // in the middle of it
      send(sent, 0, sent.payload->size() / 2);
      return later(0.05, [this] { crash(); });
    }
    send(sent, 0, sent.payload->size());
    if (happens(temper_.repeat)) {
      later(10.0 * parts_.chance.uniform(), [this, sent] { repeat(sent); });
    }
  }

  // Says what no honest client says: each case of the wire's (net/hostile_test.cpp) that reaches the board.
  void lie(Update& update) {
    const auto one_is = [&update](float value) {
      const std::span<const float> honest = update.tensors.find("w")->f32();
      std::vector<float> values(honest.begin(), honest.end());
      values[toy_size / 2] = value;
      update.tensors = toy_tensors(std::move(values));
    };
    constexpr double weights[] = {0.0, -1.0, 1e300, HUGE_VAL, std::numeric_limits<double>::quiet_NaN()};
    constexpr float values[] = {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF, 1e30f};
    switch (parts_.chance.below(4)) {
      case 0:
        update.weight = weights[parts_.chance.below(std::size(weights))];
        break;
      case 1:
        update.round += parts_.chance.below(2) == 0 ? 1 : -1;
        break;
      case 2:
        update.tensors = toy_tensors(std::vector<float>(toy_size, 1e30f));
        break;
      default:
        one_is(values[parts_.chance.below(std::size(values))]);
    }
  }

  struct Sent {
    Errand errand;
    Update update;
    std::shared_ptr<const Bytes> payload;
    bool lies = false;
  };

  // Less than a contribution, or more, or nothing.
  std::shared_ptr<const Bytes> cut(Bytes payload) {
    constexpr std::size_t lengths[] = {0, 3, toy_size * 2, toy_size * 4 - 1, toy_size * 4 + 1, toy_size * 8};
    payload.resize(lengths[parts_.chance.below(std::size(lengths))]);
    return std::make_shared<Bytes>(std::move(payload));
  }

  // The parts up to `end`, one after the other, and then that it is all.
  void send(const Sent& sent, std::size_t offset, std::size_t end) {
    const std::size_t most = 500 + parts_.chance.below(3000);
    const std::size_t count = std::min(most, end - offset);
    parts_.network.call<bool>(
        [seat = seat_, sent, offset, count](Board& board, const auto& reply) {
          board.append(seat, sent.errand.nonce, offset, std::span(*sent.payload).subspan(offset, count));
          reply(true);
        },
        alive([this, sent, offset, count, end](const Result<bool>& result) {
          if (!result.reply) return turned_down(sent, result);
          offset + count < end ? send(sent, offset + count, end) : complete(sent);
        }));
  }

  void complete(const Sent& sent) {
    parts_.network.call<bool>(
        [seat = seat_, sent](Board& board, const auto& reply) {
          board.complete(seat, sent.errand.nonce, accompanying(sent.update));
          reply(true);
        },
        alive(
            [this, sent](const Result<bool>& result) { result.reply ? settled(result) : turned_down(sent, result); }));
  }
  static Accompanying accompanying(const Update& update) {
    return {.round = update.round, .weight = update.weight, .report = update.report};
  }

  // A line that broke, or bytes that had arrived before: it goes on from where the server stands.
  void turned_down(const Sent& sent, const Result<bool>& result) {
    if (result.rejected && (sent.lies || result.rejected->why() != Rejected::Why::malformed)) return settled(result);
    parts_.network.call<std::size_t>(
        [seat = seat_, nonce = sent.errand.nonce](Board& board, const auto& reply) { reply(board.begin(seat, nonce)); },
        alive([this, sent](const Result<std::size_t>& result) {
          if (result.rejected) return settled({.rejected = result.rejected});
          if (!result.reply) return later(pause(), [this, sent] { turned_down(sent, {}); });
          send(sent, *result.reply, sent.payload->size());
        }));
  }

  void settled(const Result<bool>& result) {
    if (result.rejected && result.rejected->why() == Rejected::Why::unknown_seat) return enrol();
    result.reply || result.rejected ? next() : later(pause(), [this] { next(); });
  }

  // All of it once more, in one breath: whatever becomes of it.
  void repeat(const Sent& sent) {
    parts_.network.call<bool>(
        [seat = seat_, sent, added = temper_.added](Board& board, const auto& reply) {
          board.append(seat, sent.errand.nonce, 0, *sent.payload);
          Accompanying again = accompanying(sent.update);
          again.weight += added;
          board.complete(seat, sent.errand.nonce, again);
          reply(true);
        },
        [](const Result<bool>&) {});
  }

  const Parts parts_;
  Temper temper_;
  Seat seat_;
  std::uint64_t life_ = 0;
  bool over_ = false;
};

}  // namespace fedtune::fed
