#include "fedtune/net/acceptor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/log.h"
#include "fedtune/net/tls.h"

namespace fedtune::net {
namespace {

constexpr int waiting_at_the_door = 1024;  // connections that the system holds until they are accepted

Error unusable(const std::string& address, const std::string& reason) {
  return network_error("listening on {}: {}; give another --address", address, reason);
}

struct Addresses {
  addrinfo* first = nullptr;
  ~Addresses() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
};

bool set_port(sockaddr* address, int port) {
  const auto sent = htons(static_cast<std::uint16_t>(port));
  if (address->sa_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = sent;
  } else if (address->sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = sent;
  } else {
    return false;
  }
  return true;
}

int port_of(int listener) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

// A socket that listens, or one that is not open and errno.
FileDescriptor listener_on(const addrinfo& where) {
  FileDescriptor listener(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (listener.is_open() && ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&  // handed down to what it accepts
      ::bind(listener.get(), where.ai_addr, where.ai_addrlen) == 0 &&
      ::listen(listener.get(), waiting_at_the_door) == 0) {
    return listener;
  }
  return FileDescriptor();
}

}  // namespace

// The connections that were handed over and are still open. gRPC closes them without a word, so that a number may be
// another file's by now: a socket's inode says whether it still is the same.
class Acceptor::Guests {
 public:
  explicit Guests(std::size_t most) : most_(most) {}

  bool admits(int connection) {
    if (open_.size() >= most_)
      std::erase_if(open_, [](const Guest& guest) { return inode_of(guest.file) != guest.inode; });
    if (open_.size() >= most_) {
      if (!std::exchange(said_, true)) {
        log_warning("{} connections are open, the most there may be: others are turned away (--max-connections)",
                    most_);
      }
      return false;
    }
    open_.push_back({.file = connection, .inode = inode_of(connection)});
    return true;
  }

 private:
  struct Guest {
    int file = -1;
    ino_t inode = 0;
  };
  static ino_t inode_of(int file) {
    struct stat status = {};
    return ::fstat(file, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
  }

  const std::size_t most_;
  std::vector<Guest> open_;
  bool said_ = false;
};

Acceptor::Acceptor(Place place, grpc::ServerBuilder& builder)
    : guests_(std::make_unique<Guests>(static_cast<std::size_t>(place.connections))), wake_(::eventfd(0, EFD_CLOEXEC)) {
  listen_on(place.address);
  grpc_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, std::move(place.credentials));
}

Acceptor::~Acceptor() {
  stop();
}

void Acceptor::listen_on(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) throw unusable(address, "it has no port; expected HOST:PORT");
  const std::string host = host_of(address), port = address.substr(colon + 1);
  addrinfo wanted = {};
  wanted.ai_flags = AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  Addresses found;
  if (const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &wanted, &found.first)) {
    throw unusable(address, ::gai_strerror(error));
  }
  std::string reason = "the host has no address";
  for (const addrinfo* where = found.first; where != nullptr; where = where->ai_next) {
    if (port_ != 0 && !set_port(where->ai_addr, port_)) continue;
    FileDescriptor listener = listener_on(*where);
    if (!listener.is_open()) {
      reason = errno == EADDRINUSE ? "the address cannot be used (is the port taken?)" : std::strerror(errno);
      continue;
    }
    if (port_ == 0) port_ = port_of(listener.get());
    listeners_.push_back(std::move(listener));
  }
  if (listeners_.empty()) throw unusable(address, reason);
}

void Acceptor::start() {
  thread_ = std::thread([this] {
    std::vector<pollfd> waiting{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    for (const FileDescriptor& listener : listeners_) {
      waiting.push_back({.fd = listener.get(), .events = POLLIN, .revents = 0});
    }
    while (waiting.front().revents == 0) {
      if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;  // a signal
      for (std::size_t i = 1; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0) take_from(waiting[i].fd);
      }
    }
  });
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  write_all(wake_.get(), std::as_bytes(std::span(&one, 1)));
  thread_.join();
}

void Acceptor::take_from(int listener) {
  const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) {
    // Without a file to spare, the connection stays at the door: a pause, so that asking again is not all we do.
    constexpr int pause_ms = 100;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) ::poll(nullptr, 0, pause_ms);
    return;
  }
  if (!guests_->admits(connection)) {
    ::close(connection);
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters handed;
  handed.listener_fd = listener;
  handed.fd = connection;
  grpc_->HandleNewConnection(&handed);
}

}  // namespace fedtune::net
