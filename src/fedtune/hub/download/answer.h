// What a hub's answers say. Nothing of it is trusted: it comes from whatever answers at HF_ENDPOINT.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fedtune/hub/download/http.h"

namespace fedtune::hub {

// Takes a line of an answer's head: a field, the status line, which begins a new head, or the empty line.
void take_header_line(std::string_view line, std::map<std::string, std::string>& headers);

// The repository as it stands at `main`.
struct Listing {
  std::string commit{};              // 40 hexadecimal digits
  std::vector<std::string> files{};  // names
};
// Of an answer's body; `url` is for messages. Throws Error(input) where it is no listing.
Listing listing_in(std::string_view body, const std::string& url);

// The announced hash of a file, without quotes; empty where there is none.
std::string etag_in(const HttpResponse& response);
// The number in a header; -1 where it is none.
std::int64_t size_in(const std::string& header);

}  // namespace fedtune::hub
