#include "fedtune/hub/download/http.h"

#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <system_error>

#include <curl/curl.h>

#include "fedtune/base/error.h"
#include "fedtune/base/interrupt.h"
#include "fedtune/hub/download/answer.h"
#include "fedtune/hub/download/url.h"

namespace fedtune::hub {
namespace {

constexpr std::size_t most_body = std::size_t{64} << 20;  // lists of files are far smaller

// The trusted authorities: what Python's libraries are told, else the places where distributions keep theirs; the
// program may run on another one than its libcurl was built for.
std::string authorities() {
  for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  }
  std::error_code ignored;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return "";
}

struct Headers {
  curl_slist* list = nullptr;
  Headers() = default;
  ~Headers() { curl_slist_free_all(list); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  void add(const std::string& header) {
    curl_slist* const longer = curl_slist_append(list, header.c_str());
    if (longer == nullptr) throw failed("HTTP: a header cannot be set");
    list = longer;
  }
};

// What the callbacks of one exchange fill. An exception may not cross libcurl, so it waits here.
struct Exchange {
  const Sink& sink;
  HttpResponse response{};
  std::exception_ptr thrown{};

  template <typename Body>
  bool guard(Body&& body) {
    try {
      body();
      return true;
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }

  void take_body(std::string_view bytes, int status) {
    response.status = status;
    if (sink && (status == 200 || status == 206)) {
      sink(response, bytes);
      return;
    }
    if (response.body.size() + bytes.size() > most_body) throw network_error("an answer of more than {} MB", 64);
    response.body += bytes;
  }
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* into) {
  auto& exchange = *static_cast<Exchange*>(into);
  return exchange.guard([&] { take_header_line({data, size * count}, exchange.response.headers); }) ? size * count : 0;
}

struct BodyTarget {
  Exchange& exchange;
  CURL* curl;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* into) {
  auto& target = *static_cast<BodyTarget*>(into);
  long status = 0;
  curl_easy_getinfo(target.curl, CURLINFO_RESPONSE_CODE, &status);
  const auto take = [&] { target.exchange.take_body({data, size * count}, static_cast<int>(status)); };
  return target.exchange.guard(take) ? size * count : 0;
}

int on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return interrupt_signal() != 0 ? 1 : 0;
}

bool is_distrust(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

class Http::Implementation {
 public:
  explicit Implementation(long timeout_seconds) : timeout_(timeout_seconds), curl_(curl_easy_init()) {
    if (!curl_) throw failed("HTTP: libcurl cannot be set up");
  }

  HttpResponse exchange(const HttpRequest& request, const Sink& sink) {
    Exchange exchange{.sink = sink};
    BodyTarget target{.exchange = exchange, .curl = curl_.get()};
    Headers headers;
    headers.add("Accept-Encoding: identity");  // sizes and ranges are of the file itself
    headers.add("User-Agent: fedtune");
    if (!request.token.empty()) headers.add("Authorization: Bearer " + request.token);
    std::array<char, CURL_ERROR_SIZE> reason{};
    set_up(request, headers);
    CURL* const curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &target);

    const CURLcode code = curl_easy_perform(curl);
    if (exchange.thrown) std::rethrow_exception(exchange.thrown);
    throw_if_interrupted();
    const std::string why = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
    if (is_distrust(code)) throw network_error("{}: its certificate is not trusted: {}", request.url, why);
    if (code != CURLE_OK) throw ConnectionError(why);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    exchange.response.url = request.url;
    return std::move(exchange.response);
  }

 private:
  void set_up(const HttpRequest& request, const Headers& headers) {
    CURL* const curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(curl, CURLOPT_NOBODY, request.head_only ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, timeout_);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, timeout_);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    if (is_loopback(parse_url(request.url, "the hub"))) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (request.first_byte > 0) {
      curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", request.first_byte).c_str());
    }
    static const std::string trusted = authorities();
    if (!trusted.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, trusted.c_str());
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  }

  struct FreeCurl {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  long timeout_;
  std::unique_ptr<CURL, FreeCurl> curl_;
};

Http::Http(long timeout_seconds) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) throw failed("HTTP: libcurl cannot be set up");
  implementation_ = std::make_unique<Implementation>(timeout_seconds);
}
Http::~Http() = default;

HttpResponse Http::exchange(const HttpRequest& request, const Sink& sink) {
  return implementation_->exchange(request, sink);
}

}  // namespace fedtune::hub
