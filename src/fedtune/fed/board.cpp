#include "fedtune/fed/board.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/plain_text.h"
#include "fedtune/base/secret.h"

namespace fedtune::fed {
namespace {

using Why = Rejected::Why;

template <typename... Args>
Rejected rejected(Why why, fmt::format_string<Args...> format, Args&&... args) {
  return {why, fmt::format(format, std::forward<Args>(args)...)};
}

// Within that time a client whose call was lost makes it again: it pauses for up to 2 s, and as long before it
// connects.
constexpr std::chrono::seconds comes_back{5};

// What nobody can guess: a session, a nonce.
std::string secret() {
  return random_bytes(16);
}

}  // namespace

Board::Board(Options options)
    : options_(std::move(options)), payload_bytes_(payload_size(options_.layout)), spill_(options_.spill) {}

Board::Client& Board::seated(const Seat& seat) {
  const auto found = clients_.find(seat.rank);
  if (found == clients_.end() || found->second.session.empty() || found->second.session != seat.session) {
    throw rejected(Why::unknown_seat, "client {} has no such session; it must enrol (again)", seat.rank);
  }
  return found->second;
}

// The client, if the errand of that nonce is open and not answered.
Board::Client& Board::owing(const Seat& seat, const std::string& nonce) {
  Client& client = seated(seat);
  if (!client.errand || client.errand->nonce != nonce) {
    throw rejected(Why::closed, "client {}: the round of this contribution is closed", seat.rank);
  }
  if (client.answered) throw rejected(Why::complete, "client {}: this contribution has arrived already", seat.rank);
  return client;
}

void Board::make(const std::vector<Call>& calls) {
  for (const Call& call : calls) call.callback(call.answer);
}

void Board::take_waiting(Client& client, Answer answer, std::vector<Call>& calls) {
  if (!client.waiting) return;
  calls.push_back({.callback = std::exchange(client.waiting, {}), .answer = std::move(answer)});
  client.ticket = 0;
}

std::string Board::enrol(int rank) {
  std::vector<Call> calls;
  std::string session;
  {
    const std::scoped_lock lock(mutex_);
    if (rank < 1 || rank > options_.clients) {
      throw rejected(Why::malformed, "rank {} was asked for; this run has clients 1 to {}", rank, options_.clients);
    }
    session = seat_locked(rank, calls);
  }
  make(calls);
  return session;
}

std::string Board::seat_locked(int rank, std::vector<Call>& calls) {
  Client& client = clients_[rank];
  take_waiting(client, Superseded{}, calls);
  client.session = secret();
  client.absent = client.told = false;
  if (!client.answered) client.arrived.reset();
  changed_.notify_all();
  return client.session;
}

bool Board::is_free_locked(int rank, bool even_absent) const {
  const auto found = clients_.find(rank);
  return found == clients_.end() || found->second.session.empty() || (even_absent && found->second.absent);
}

std::optional<Seat> Board::enrol_free(const std::function<bool(int)>& may) {
  for (const bool even_absent : {false, true}) {
    for (int rank = 1; rank <= options_.clients; ++rank) {
      if (!may(rank)) continue;
      std::vector<Call> calls;
      Seat seat{.rank = rank};
      {
        const std::scoped_lock lock(mutex_);
        if (!is_free_locked(rank, even_absent)) continue;
        seat.session = seat_locked(rank, calls);
      }
      make(calls);
      return seat;
    }
  }
  return std::nullopt;
}

void Board::depart(const Seat& seat, const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  const auto found = clients_.find(seat.rank);
  if (found == clients_.end() || found->second.session != seat.session) return;
  Client& client = found->second;
  if (client.errand && !client.answered) {
    client.answered = true;
    deliveries_.emplace_back(Declined{.rank = seat.rank, .reason = plain_text(reason)});
  }
  client.session.clear();
  client.waiting = {};
  client.ticket = 0;
  client.absent = true;
  changed_.notify_all();
}

std::uint64_t Board::await(const Seat& seat, std::function<void(const Answer&)> answer) {
  std::vector<Call> calls;
  std::uint64_t ticket = 0;
  {
    const std::scoped_lock lock(mutex_);
    Client& client = seated(seat);
    client.absent = false;
    take_waiting(client, Superseded{}, calls);
    ticket = ++tickets_;
    client.ticket = ticket;
    client.waiting = std::move(answer);
    if (over_) {
      client.told = true;
      take_waiting(client, RunOver{}, calls);
    } else if (client.errand && !client.answered) {
      take_waiting(client, *client.errand, calls);
    }
    changed_.notify_all();
  }
  make(calls);
  return ticket;
}

void Board::forget(std::uint64_t ticket) {
  const std::scoped_lock lock(mutex_);
  for (auto& [rank, client] : clients_) {
    if (client.ticket != ticket) continue;
    client.ticket = 0;
    client.waiting = {};
    client.absent = true;  // whoever waited is gone
    client.lost = time().now();
  }
}

std::shared_ptr<Arrival> Board::arrival_of(const Seat& seat, const std::string& nonce) {
  const std::scoped_lock lock(mutex_);
  Client& client = owing(seat, nonce);
  if (!client.arrived) client.arrived = spill_.expect(payload_bytes_);
  return client.arrived;
}

// An Error that leaves `body` ends the run, too.
template <typename Body>
auto Board::or_fail(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error&) {
    const std::scoped_lock lock(mutex_);
    deliveries_.emplace_back(std::current_exception());
    changed_.notify_all();
    throw;
  }
}

std::size_t Board::begin(const Seat& seat, const std::string& nonce) {
  return or_fail([&] { return arrival_of(seat, nonce)->size(); });
}

void Board::append(const Seat& seat, const std::string& nonce, std::size_t offset, std::span<const std::byte> bytes) {
  or_fail([&] {
    const std::shared_ptr<Arrival> arrival = arrival_of(seat, nonce);
    // Without the lock, so that others go on meanwhile; an arrival that nobody wants any more does no harm.
    if (arrival->append(offset, bytes)) return;
    throw rejected(Why::malformed, "client {}: {} bytes from {} on were sent; {} of a contribution's {} have arrived",
                   seat.rank, bytes.size(), offset, arrival->size(), payload_bytes_);
  });
}

void Board::complete(const Seat& seat, const std::string& nonce, const Accompanying& accompanying) {
  const std::scoped_lock lock(mutex_);
  Client& client = owing(seat, nonce);
  const std::size_t received = client.arrived ? client.arrived->size() : 0;
  if (!client.arrived || received != payload_bytes_) {
    throw rejected(Why::malformed, "client {}: {} bytes were sent, a contribution has {}", seat.rank, received,
                   payload_bytes_);
  }
  deliveries_.emplace_back(Update{.round = accompanying.round,
                                  .rank = seat.rank,
                                  .tensors = client.arrived->tensors(options_.layout),
                                  .weight = accompanying.weight,
                                  .report = accompanying.report});
  client.arrived.reset();
  client.answered = true;
  client.absent = false;
  changed_.notify_all();
}

void Board::decline(const Seat& seat, const std::string& nonce, const std::string& reason) {
  const std::scoped_lock lock(mutex_);
  owing(seat, nonce).answered = true;
  // In the client's own words, or about what it sent; a record of the round that holds them is kept for the whole run.
  deliveries_.emplace_back(Declined{.rank = seat.rank, .reason = plain_text(reason)});
  changed_.notify_all();
}

void Board::open(int round, const std::shared_ptr<const Payload>& global, std::span<const int> cohort) {
  std::vector<Call> calls;
  {
    const std::scoped_lock lock(mutex_);
    deliveries_.clear();
    for (const int rank : cohort) {
      Client& client = clients_[rank];
      client.errand = Errand{.round = round, .nonce = secret(), .global = global};
      client.answered = false;
      client.arrived.reset();
      take_waiting(client, *client.errand, calls);
    }
  }
  make(calls);
}

std::optional<Delivery> Board::next(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  if (!time().wait_until(changed_, lock, until, [&] { return !deliveries_.empty(); })) return std::nullopt;
  Delivery delivery = std::move(deliveries_.front());
  deliveries_.pop_front();
  return delivery;
}

std::vector<int> Board::close() {
  const std::scoped_lock lock(mutex_);
  std::vector<int> owing;
  for (auto& [rank, client] : clients_) {
    if (client.errand && !client.answered) {
      owing.push_back(rank);
      client.absent = true;
    }
    client.errand.reset();
    client.answered = false;
    client.arrived.reset();
  }
  return owing;
}

void Board::finish() {
  std::vector<Call> calls;
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    for (auto& [rank, client] : clients_) {
      if (!client.waiting) continue;
      client.told = true;
      take_waiting(client, RunOver{}, calls);
    }
    changed_.notify_all();
  }
  make(calls);
}

std::vector<int> Board::present() const {
  const std::scoped_lock lock(mutex_);
  std::vector<int> ranks;
  for (const auto& [rank, client] : clients_) {
    if (!client.session.empty() && !client.absent) ranks.push_back(rank);
  }
  return ranks;
}

bool Board::await_present(std::span<const int> cohort, std::size_t count, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return time().wait_until(changed_, lock, until, [&] {
    const auto here = std::ranges::count_if(cohort, [&](int rank) {
      const auto found = clients_.find(rank);
      return found != clients_.end() && !found->second.session.empty() && !found->second.absent;
    });
    return static_cast<std::size_t>(here) >= count;
  });
}

// Whether nobody is left to be told; those who were lost before then are not counted.
bool Board::all_told_locked(Timekeeper::Time lost_before) const {
  return std::ranges::all_of(clients_, [&](const auto& entry) {
    const Client& client = entry.second;
    return client.session.empty() || client.told || (client.absent && client.lost < lost_before);
  });
}

void Board::await_told(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  time().wait_until(changed_, lock, until, [&] { return all_told_locked(Timekeeper::Time::max()); });
  const Timekeeper::Time lost_before = time().now() - comes_back;
  Timekeeper::Time back = lost_before;
  for (const auto& [rank, client] : clients_) back = std::max(back, client.lost + comes_back);
  time().wait_until(changed_, lock, std::min(until, back), [&] { return all_told_locked(lost_before); });
}

}  // namespace fedtune::fed
