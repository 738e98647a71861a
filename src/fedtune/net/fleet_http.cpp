#include <array>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "fedtune/base/error.h"
#include "fedtune/net/fleet.h"
#include "fedtune/net/fleet_detail.h"

namespace fedtune::net {
namespace {

constexpr long connect_seconds = 5;
constexpr long call_seconds = 120;
constexpr long idle_seconds = 3;  // the SuperLink closes a line that is idle for 5

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

class HttpFleet final : public Fleet {
 public:
  HttpFleet(const std::string& address, const TlsOptions& tls, const NodeKey& key)
      : url_(fmt::format("{}://{}/v1/fleet/", tls.ca.empty() ? "http" : "https", address)),
        ca_(tls.ca),
        key_(key),
        curl_(curl_easy_init()) {
    if (!curl_) throw failed("HTTP: libcurl cannot be set up");
    if (ca_.empty()) require_plaintext_allowed(tls, address, "give --tls-ca");
  }

  std::string call(const std::string& method, const std::string& request) override {
    const std::string time = node_time();
    Headers headers;
    headers.add("Content-Type: application/protobuf");
    headers.add("Expect:");
    headers.add("flwr-public-key: " + base64(key_.public_pem()));
    headers.add("flwr-timestamp: " + time);
    headers.add("flwr-signature: " + base64(key_.sign(time)));
    std::string answer;
    std::array<char, CURL_ERROR_SIZE> reason{};
    CURL* const curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, (url_ + method).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.size()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, call_seconds);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, idle_seconds);
    if (!ca_.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, ca_.c_str());
      curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    }
    if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK) {
      const bool foreign = code != CURLE_COULDNT_CONNECT && code != CURLE_OPERATION_TIMEDOUT;
      throw FleetError(0, 0, reason[0] != '\0' ? reason.data() : curl_easy_strerror(code), foreign);
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) throw refusal(static_cast<int>(status), method, answer);
    return answer;
  }

 private:
  struct FreeCurl {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
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

  static FleetError refusal(int status, const std::string& method, const std::string& answer) {
    const FleetDetail detail = detail_in(answer);
    return {status, detail.code,
            fmt::format("{}: {} (HTTP {}{})", method, detail.text, status,
                        detail.code == 0 ? std::string() : fmt::format(", code {}", detail.code))};
  }

  const std::string url_, ca_;
  const NodeKey& key_;
  std::unique_ptr<CURL, FreeCurl> curl_;
};

}  // namespace

std::unique_ptr<Fleet> fleet_over_http(const std::string& address, const TlsOptions& tls, const NodeKey& key) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) throw failed("HTTP: libcurl cannot be set up");
  return std::make_unique<HttpFleet>(address, tls, key);
}

}  // namespace fedtune::net
