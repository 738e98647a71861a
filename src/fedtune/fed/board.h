// Where the server's calls meet the round engine: who has enrolled, what each is asked, what has come back. Knows
// nothing of the wire.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "fedtune/base/timekeeper.h"
#include "fedtune/fed/payload.h"
#include "fedtune/fed/spill.h"
#include "fedtune/fed/types.h"

namespace fedtune::fed {

// Why a call is turned down. The caller's fault or misfortune, never the run's.
class Rejected : public std::runtime_error {
 public:
  enum class Why {
    unknown_seat,  // no such session: enrol again
    closed,        // the round no longer takes this contribution
    complete,      // it has arrived already
    malformed,     // what was sent cannot be right
    forbidden,     // the certificate may not speak for this rank
  };
  Rejected(Why why, const std::string& message) : std::runtime_error(message), why_(why) {}
  Why why() const noexcept { return why_; }

 private:
  Why why_;
};

// Who calls: a rank, and the session that proves it enrolled last under that rank.
struct Seat {
  int rank = 0;
  std::string session{};
};

// What a client is asked: `global` is shared by the whole cohort.
struct Errand {
  int round = 0;
  std::string nonce{};
  std::shared_ptr<const Payload> global{};
};
struct RunOver {};
// Another call of the same rank waits in this one's place.
struct Superseded {};
using Answer = std::variant<Errand, RunOver, Superseded>;

// A contribution, the lack of one, or what keeps the server from taking any (a full disk), on its way to the engine.
struct Declined {
  int rank = 0;
  std::string reason{};
};
using Delivery = std::variant<Update, Declined, std::exception_ptr>;

// What a contribution says besides its tensors.
struct Accompanying {
  int round = 0;
  double weight = 0.0;
  ClientReport report{};
};

// Thread-safe. Callbacks given to await are called without any lock held.
class Board {
 public:
  struct Options {
    int clients = 0;  // ranks 1 .. clients
    Layout layout{};
    SpillOptions spill{};                    // where contributions wait for the end of their round
    Timekeeper* time = &Timekeeper::real();  // outlives the board
  };
  explicit Board(Options options);

  // --- Called for clients. Each throws Rejected.
  // A new session for the rank; the one before it, if any, is unknown from now on.
  std::string enrol(int rank);
  // The same for the lowest rank that `may` allows and nobody holds, or whose holder is absent; empty where there is
  // none.
  std::optional<Seat> enrol_free(const std::function<bool(int rank)>& may);
  // The client is gone: what it owes is declined, and its rank is free. Never throws.
  void depart(const Seat& seat, const std::string& reason);
  // Calls `answer` once: at once, or when an errand arrives or the run is over. The ticket is for forget.
  std::uint64_t await(const Seat& seat, std::function<void(const Answer&)> answer);
  // The waiting call is gone: its callback will not be called, unless that has begun. Never throws.
  void forget(std::uint64_t ticket);
  // A contribution is about to be sent: from which byte on, since parts of it may have arrived before.
  std::size_t begin(const Seat& seat, const std::string& nonce);
  // Takes the next bytes of a contribution, which start at `offset`. A disk that is full, here or in begin, is the
  // run's trouble: it is handed to the engine, and the call throws it too.
  void append(const Seat& seat, const std::string& nonce, std::size_t offset, std::span<const std::byte> bytes);
  // All bytes have been sent.
  void complete(const Seat& seat, const std::string& nonce, const Accompanying& accompanying);
  void decline(const Seat& seat, const std::string& nonce, const std::string& reason);

  // --- Called by the engine's transport.
  Timekeeper& time() const { return *options_.time; }
  int clients() const { return options_.clients; }
  // Asks each rank of the cohort; who has not enrolled yet is asked when it does.
  void open(int round, const std::shared_ptr<const Payload>& global, std::span<const int> cohort);
  // The next contribution; empty when `until` has come first.
  std::optional<Delivery> next(std::chrono::steady_clock::time_point until);
  // The round takes no more. Returns the ranks that owe an answer; they count as absent until they are heard again.
  std::vector<int> close();
  // Everyone who waits, or asks from now on, is told that the run is over.
  void finish();
  // Ranks that have enrolled and have not failed to answer since.
  std::vector<int> present() const;
  // Waits until so many ranks of `cohort` are present, or `until` has come; true in the first case.
  bool await_present(std::span<const int> cohort, std::size_t count, std::chrono::steady_clock::time_point until);
  // After finish: waits until all who are present have been told that the run is over, or `until` has come. For a
  // client whose call was lost a moment ago it waits too, a few seconds: it is about to call again.
  void await_told(std::chrono::steady_clock::time_point until);

 private:
  struct Client {
    std::string session{};
    bool absent = false;      // its call is gone, or it owed an answer when a round closed; it has not been heard since
    Timekeeper::Time lost{};  // when its call went, if it has
    bool told = false;        // that the run is over
    // Of the open round, where this client owes an answer or has given it.
    std::optional<Errand> errand{};
    bool answered = false;
    std::shared_ptr<Arrival> arrived{};
    // The call that waits.
    std::uint64_t ticket = 0;
    std::function<void(const Answer&)> waiting{};
  };
  // A callback with what it is to be told, for after the lock is released.
  struct Call {
    std::function<void(const Answer&)> callback;
    Answer answer;
  };

  Client& seated(const Seat& seat);
  Client& owing(const Seat& seat, const std::string& nonce);
  std::shared_ptr<Arrival> arrival_of(const Seat& seat, const std::string& nonce);
  template <typename Body>
  auto or_fail(Body&& body);
  std::string seat_locked(int rank, std::vector<Call>& calls);
  bool is_free_locked(int rank, bool even_absent) const;
  bool all_told_locked(Timekeeper::Time lost_before) const;
  static void make(const std::vector<Call>& calls);
  void take_waiting(Client& client, Answer answer, std::vector<Call>& calls);

  const Options options_;
  const std::size_t payload_bytes_;
  Spill spill_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<int, Client> clients_;  // by rank: those that have enrolled or are asked
  std::deque<Delivery> deliveries_;
  std::uint64_t tickets_ = 0;
  bool over_ = false;
};

}  // namespace fedtune::fed
