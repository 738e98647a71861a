#include "fedtune/hub/download/answer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "fedtune/base/error.h"
#include "fedtune/format/json_file.h"

namespace fedtune::hub {
namespace {

bool is_commit(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// W/"abc" -> abc
std::string bare_etag(std::string etag) {
  if (etag.starts_with("W/")) etag = etag.substr(2);
  std::erase(etag, '"');
  return etag;
}

}  // namespace

void take_header_line(std::string_view line, std::map<std::string, std::string>& headers) {
  if (line.starts_with("HTTP/")) {  // of this answer, not of one that announced it (100 Continue)
    headers.clear();
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view space = " \t\r\n";
  const std::size_t begin = std::min(line.find_first_not_of(space, colon + 1), line.size());
  const std::size_t end = line.find_last_not_of(space) + 1;
  headers[name] = begin < end ? std::string(line.substr(begin, end - begin)) : "";
}

Listing listing_in(std::string_view body, const std::string& url) {
  const nlohmann::json answer = parse_json(body, url);
  Listing listing{.commit = required<std::string>(answer, "sha", url)};
  if (!is_commit(listing.commit)) throw input_error("sha is '{}', expected a commit", listing.commit);
  for (const nlohmann::json& sibling : required<std::vector<nlohmann::json>>(answer, "siblings", url)) {
    listing.files.push_back(required<std::string>(sibling, "rfilename", url));
  }
  return listing;
}

std::string etag_in(const HttpResponse& response) {
  const std::string linked = response.header("x-linked-etag");
  return bare_etag(linked.empty() ? response.header("etag") : linked);
}

std::int64_t size_in(const std::string& header) {
  std::int64_t size = -1;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), size);
  return error == std::errc() && end == header.data() + header.size() && size >= 0 ? size : -1;
}

}  // namespace fedtune::hub
