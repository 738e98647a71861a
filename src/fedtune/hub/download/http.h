// One exchange over HTTP or HTTPS, by libcurl: no redirects, no second try.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fedtune::hub {

struct HttpRequest {
  std::string url{};
  bool head_only = false;
  std::string token{};          // empty: none is shown
  std::int64_t first_byte = 0;  // above 0: only the rest from there is asked for
};

struct HttpResponse {
  std::string url{};  // what was asked for
  int status = 0;
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};                            // what the sink did not take

  // Empty where there is none.
  std::string header(const std::string& name) const;
};

// The connection failed or broke: another try may do.
class ConnectionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes the body of an answer with status 200 or 206, piece by piece.
using Sink = std::function<void(const HttpResponse& head, std::string_view bytes)>;

// Keeps its connections. Not thread-safe.
class Http {
 public:
  // Seconds to connect, and seconds of silence after which an exchange is given up.
  explicit Http(long timeout_seconds);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // Throws ConnectionError; Error(network) for a certificate that is not trusted and a body that no sink takes and that
  // is too long; Interrupted; and what the sink throws.
  HttpResponse exchange(const HttpRequest& request, const Sink& sink = {});

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fedtune::hub
