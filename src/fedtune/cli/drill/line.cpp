#include "fedtune/cli/drill/line.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file_descriptor.h"

namespace fedtune::cli {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One way of a connection; false once it has ended.
bool pass_on(int from, int to) {
  std::array<std::byte, 65536> block;
  const ssize_t count = ::read(from, block.data(), block.size());
  return count > 0 && write_all(to, std::span(block).first(static_cast<std::size_t>(count))) == 0;
}

}  // namespace

struct Line::Relay {
  struct Connection {
    FileDescriptor client, server;
  };
  FileDescriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<Connection> connections{};

  void accept(int target, bool is_cut) {
    FileDescriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.is_open() || is_cut || target == 0) return;
    FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(target);
    if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    connections.push_back({std::move(client), std::move(server)});
  }

  void step(int target, bool is_cut) {
    if (is_cut) connections.clear();
    std::vector<pollfd> waiting{{.fd = listener.get(), .events = POLLIN, .revents = 0}};
    for (const Connection& connection : connections) {
      waiting.push_back({.fd = connection.client.get(), .events = POLLIN, .revents = 0});
      waiting.push_back({.fd = connection.server.get(), .events = POLLIN, .revents = 0});
    }
    constexpr int look_up_ms = 20;
    if (::poll(waiting.data(), waiting.size(), look_up_ms) <= 0) return;
    for (std::size_t i = connections.size(); i-- > 0;) {
      const Connection& connection = connections[i];
      const bool alive =
          (waiting[1 + 2 * i].revents == 0 || pass_on(connection.client.get(), connection.server.get())) &&
          (waiting[2 + 2 * i].revents == 0 || pass_on(connection.server.get(), connection.client.get()));
      if (!alive) connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (waiting[0].revents != 0) accept(target, is_cut);
  }
};

Line::Line() : relay_(std::make_unique<Relay>()) {
  std::signal(SIGPIPE, SIG_IGN);  // a side that hangs up is no reason to end
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const int listener = relay_->listener.get();
  if (::bind(listener, any, size) != 0 || ::listen(listener, 64) != 0 || ::getsockname(listener, any, &size) != 0) {
    throw failed("a line of the drill: {}", std::strerror(errno));
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) relay_->step(target_, cut_);
  });
}

Line::~Line() = default;

}  // namespace fedtune::cli
