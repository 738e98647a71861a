// Addresses, taken apart by libcurl.
#pragma once

#include <string>
#include <string_view>

namespace fedtune::hub {

struct Url {
  std::string scheme, host, port;  // lower case; port as given or the scheme's own; an IPv6 host without brackets
};

// Throws Error(usage) naming `source` for what is no http or https address.
Url parse_url(const std::string& url, const std::string& source);
// Where a Location header leads: an address, or a reference relative to `base`. Throws Error(network).
std::string resolve_reference(const std::string& base, const std::string& reference);

// The same scheme, host and port: what a token may be shown to.
bool same_origin(const Url& a, const Url& b);
// localhost, 127.0.0.0/8, ::1
bool is_loopback(const Url& url);

// Percent-encodes what is not a letter, a digit, '-', '_', '.', '~' or '/'.
std::string escape_path(std::string_view path);

}  // namespace fedtune::hub
