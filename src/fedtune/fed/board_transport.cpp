#include "fedtune/fed/board_transport.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"

namespace fedtune::fed {
namespace {

using Clock = std::chrono::steady_clock;

// Far away where `seconds` is 0.
Clock::time_point deadline_after(double seconds, Clock::time_point now) {
  if (seconds <= 0.0) return Clock::time_point::max();
  return now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// How long to wait before looking whether the run was interrupted.
Clock::time_point soon(Clock::time_point deadline, Clock::time_point now) {
  return std::min(deadline, now + std::chrono::milliseconds(100));
}

std::vector<int> missing_of(std::span<const int> cohort, const std::vector<int>& present) {
  std::vector<int> missing;
  std::ranges::set_difference(cohort, present, std::back_inserter(missing));
  return missing;
}

// The round is closed however the exchange ends.
class OpenRound {
 public:
  explicit OpenRound(Board& board) : board_(board) {}
  ~OpenRound() {
    if (!closed_) board_.close();
  }
  OpenRound(const OpenRound&) = delete;
  OpenRound& operator=(const OpenRound&) = delete;
  std::vector<int> close() {
    closed_ = true;
    return board_.close();
  }

 private:
  Board& board_;
  bool closed_ = false;
};

}  // namespace

BoardTransport::BoardTransport(Board& board, TransportOptions options) : board_(board), options_(std::move(options)) {}

bool BoardTransport::come(std::span<const int> cohort, std::size_t count, double seconds) {
  const Clock::time_point deadline = deadline_after(seconds, board_.time().now());
  while (!board_.await_present(cohort, count, soon(deadline, board_.time().now()))) {
    throw_if_interrupted();
    if (board_.time().now() >= deadline) return false;
  }
  return true;
}

void BoardTransport::await_clients(std::span<const int> cohort) {
  const std::size_t wanted = options_.min_clients == 0
                                 ? cohort.size()
                                 : std::min(cohort.size(), static_cast<std::size_t>(options_.min_clients));
  const auto missing = [&] { return missing_of(cohort, board_.present()); };
  if (cohort.size() - missing().size() >= wanted) return;
  if (options_.on_waiting) options_.on_waiting(missing());
  if (come(cohort, wanted, options_.wait)) return;
  throw network_error("clients {} have not come within {} s; {} of {} are there, {} are needed (--min-clients)",
                      fmt::join(missing(), ", "), options_.wait, cohort.size() - missing().size(), cohort.size(),
                      wanted);
}

void BoardTransport::await_everyone(double seconds) {
  std::vector<int> everyone(static_cast<std::size_t>(board_.clients()));
  std::iota(everyone.begin(), everyone.end(), 1);
  come(everyone, everyone.size(), seconds);
}

void BoardTransport::exchange(int round, const NamedTensors& global, std::span<const int> cohort,
                              const std::function<void(Update)>& on_update,
                              const std::function<void(int, const std::string&)>& on_failure) {
  has_asked_ = true;
  await_clients(cohort);
  board_.open(round, std::make_shared<Payload>(global), cohort);
  OpenRound open(board_);
  const Clock::time_point deadline = deadline_after(options_.round_timeout, board_.time().now());
  std::size_t heard = 0;
  while (heard < cohort.size() && board_.time().now() < deadline) {
    std::optional<Delivery> delivery = board_.next(soon(deadline, board_.time().now()));
    throw_if_interrupted();
    if (!delivery) continue;
    ++heard;
    if (auto* update = std::get_if<Update>(&*delivery)) {
      on_update(std::move(*update));
    } else if (const auto* declined = std::get_if<Declined>(&*delivery)) {
      on_failure(declined->rank, declined->reason);
    } else {
      std::rethrow_exception(std::get<std::exception_ptr>(*delivery));
    }
  }
  for (const int rank : open.close()) {
    on_failure(rank, fmt::format("it has not answered within {} s (--round-timeout)", options_.round_timeout));
  }
}

}  // namespace fedtune::fed
