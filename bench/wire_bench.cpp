// What the wire costs: rounds with clients that answer at once, in a process of their own on loopback.
//
//   wire_bench CLIENTS NUMBERS ROUNDS     NUMBERS: float32 values that travel each way
//
// Prints the seconds of the exchange and of the whole round, which hashes and measures the contributions as well, the
// bytes per second of one direction, and the server's memory.
#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fedtune/aggregate/weighted_mean.h"
#include "fedtune/base/clock.h"
#include "fedtune/base/error.h"
#include "fedtune/base/memory.h"
#include "fedtune/fed/board_transport.h"
#include "fedtune/fed/engine.h"
#include "fedtune/net/client.h"
#include "fedtune/net/server.h"

namespace fedtune {
namespace {

struct Load {
  int clients = 1;
  std::int64_t numbers = 1;
  int rounds = 1;
};

Layout layout_of(const Load& load) {
  return {{"w", DType::f32, {load.numbers}}};
}

// Sends back what it was given.
class Echo final : public fed::LocalTask {
 public:
  fed::Update train(const fed::Instruction& instruction, const std::function<bool()>& /*stop*/) override {
    return {.round = instruction.round, .rank = instruction.rank, .tensors = instruction.global, .weight = 1.0};
  }
};

class Mean final : public fed::Strategy {
 public:
  explicit Mean(const Load& load) : layout_(layout_of(load)), start_(static_cast<std::size_t>(load.numbers), 1.0f) {}

  const Layout& layout() const override { return layout_; }
  NamedTensors initial() override {
    NamedTensors tensors;
    tensors.tensors.push_back(
        {.name = "w", .shape = layout_.front().shape, .bytes = std::as_bytes(std::span(std::as_const(start_)))});
    return tensors;
  }
  Status admit(const fed::Update& /*update*/) const override { return Status::ok(); }
  NamedTensors aggregate(int /*round*/, const NamedTensors& global,
                         std::span<const fed::Update> /*accepted*/) override {
    return global;  // the wire alone is measured
  }
  fed::Evaluation evaluate(int /*round*/, const NamedTensors& /*global*/) override { return {}; }

 private:
  Layout layout_;
  std::vector<float> start_;
};

void be_clients(const Load& load, int port) {
  std::vector<std::jthread> threads;
  for (int rank = 1; rank <= load.clients; ++rank) {
    threads.emplace_back([rank, port] {
      net::Client client({.server = fmt::format("127.0.0.1:{}", port), .rank = rank});
      client.enrol();
      Echo echo;
      client.serve(echo);
    });
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void serve(const Load& load, int to_clients) {
  net::Server server({.address = "127.0.0.1:0", .clients = load.clients},
                     {.run = "bench", .layout = layout_of(load), .version = "bench"});
  const int port = server.port();
  if (write(to_clients, &port, sizeof port) != sizeof port) throw failed("handing over the port");
  Mean mean(load);
  fed::BoardTransport transport(server.board(), {});
  std::vector<double> exchanges, rounds;
  Stopwatch watch;
  const fed::Observer observer{.on_round_start = [&](int, std::span<const int>) { watch = Stopwatch(); },
                               .on_round =
                                   [&](const fed::RoundRecord& record) {
                                     exchanges.push_back(record.seconds.train + record.seconds.wait);
                                     rounds.push_back(watch.seconds());
                                   }};
  fed::Engine({.rounds = load.rounds, .clients = load.clients}, {.strategy = mean, .transport = transport}, observer)
      .run();
  server.finish(10.0);
  const double exchange = median(exchanges);
  const double bytes = 4.0 * static_cast<double>(load.numbers) * load.clients;
  fmt::print(
      "{} clients, {:.1f} MB each way: {:.1f} ms an exchange in the median of {}, {:.2f} GB/s each way; {:.1f} ms the "
      "whole round; the server's peak memory {:.0f} MB\n",
      load.clients, 4e-6 * static_cast<double>(load.numbers), 1e3 * exchange, load.rounds, 2.0 * bytes / exchange / 1e9,
      1e3 * median(rounds), 1e-6 * static_cast<double>(peak_rss_bytes()));
}

template <typename Number>
Number number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
    throw usage_error("expected a whole number above 0, found '{}'", text);
  }
  return number;
}

int run(const Load& load) {
  keep_freed_memory();  // as the program does
  int port_pipe[2];
  if (pipe(port_pipe) != 0) throw failed("a pipe");
  const pid_t child = fork();  // before anything has started a thread
  if (child == 0) {
    int port = 0;
    if (read(port_pipe[0], &port, sizeof port) != sizeof port) return 1;
    be_clients(load, port);
    return 0;
  }
  serve(load, port_pipe[1]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace fedtune

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw fedtune::usage_error("usage: wire_bench CLIENTS NUMBERS ROUNDS");
    return fedtune::run({.clients = fedtune::number_in<int>(argv[1]),
                         .numbers = fedtune::number_in<std::int64_t>(argv[2]),
                         .rounds = fedtune::number_in<int>(argv[3])});
  } catch (const std::exception& error) {
    fmt::print(stderr, "wire_bench: {}\n", error.what());
    return 2;
  }
}
