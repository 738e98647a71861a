#include "fedtune/hub/download/url.h"

#include <algorithm>
#include <memory>

#include <arpa/inet.h>
#include <curl/curl.h>

#include "fedtune/base/error.h"

namespace fedtune::hub {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, FreeUrl>;

std::string part_of(const Handle& handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle.get(), part, &text, flags) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Url parse_url(const std::string& url, const std::string& source) {
  const Handle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    throw usage_error("{}: '{}' is no address; expected https://HOST", source, url);
  }
  Url parts{.scheme = lower(part_of(handle, CURLUPART_SCHEME)),
            .host = lower(part_of(handle, CURLUPART_HOST)),
            .port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (parts.scheme != "http" && parts.scheme != "https") {
    throw usage_error("{}: '{}' is of the scheme {}, expected https://HOST", source, url, parts.scheme);
  }
  if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

std::string resolve_reference(const std::string& base, const std::string& reference) {
  const Handle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(), 0) != CURLUE_OK) {
    throw network_error("{}: sends its reader on to '{}', which is no address", base, reference);
  }
  return part_of(handle, CURLUPART_URL);
}

bool same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

bool is_loopback(const Url& url) {
  in_addr address{};
  if (::inet_pton(AF_INET, url.host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return url.host == "localhost" || url.host == "::1";
}

std::string escape_path(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == '/';
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

}  // namespace fedtune::hub
