// An answer of a hub. Parts: `head` its header lines, `body` a listing.
#include <algorithm>

#include "support.h"

#include "fedtune/hub/download/answer.h"
#include "fedtune/hub/download/retry.h"
#include "fedtune/hub/download/url.h"
#include "fedtune/hub/needed_files.h"

namespace {

void read_head(std::string_view head) {
  using namespace fedtune;
  hub::HttpResponse response;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    hub::take_header_line(head.substr(0, end), response.headers);
    head.remove_prefix(end);
  }
  static_cast<void>(hub::etag_in(response));
  fuzz::require(hub::size_in(response.header("content-length")) >= -1, "a size is a number of bytes, or -1");
  static_cast<void>(hub::retry_after_seconds(response.header("retry-after")));
  const auto next =
      fuzz::accepted([&] { return hub::resolve_reference("https://hub.example/a/b", response.header("location")); });
  if (!next) return;
  const auto url = fuzz::accepted([&] { return hub::parse_url(*next, "redirect"); });
  fuzz::require(!url || url->scheme == "http" || url->scheme == "https", "an address is one of the web's");
}

void read_body(std::string_view body) {
  using namespace fedtune;
  const auto listing = fuzz::accepted([&] { return hub::listing_in(body, "url"); });
  if (!listing) return;
  fuzz::require(listing->commit.size() == 40, "a commit has 40 digits");
  static_cast<void>(hub::missing_of_model(listing->files));
  static_cast<void>(hub::missing_of_dataset(listing->files, "cola"));
  for (const std::string& name : hub::needed_of_model(listing->files)) {
    fuzz::require(name.find('/') == std::string::npos, "a model's file lies in its folder");
  }
  for (const std::string& name : hub::needed_of_dataset(listing->files, "cola")) {
    fuzz::require(name.find("..") != 0 && !name.starts_with('/'), "a table lies within its repository");
  }
}

}  // namespace

FEDTUNE_FUZZ_TARGET(hub_answer) {
  for (const fedtune::fuzz::Part& part : fedtune::fuzz::parts_of(fedtune::fuzz::text_of(data, size))) {
    if (part.name == "head") read_head(part.content);
    if (part.name == "body") read_body(part.content);
  }
  return 0;
}
