#include "fedtune/hub/download/session.h"

#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/base/log.h"
#include "fedtune/hub/download/retry.h"

namespace fedtune::hub {
namespace {

constexpr int most_redirects = 8;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Session::Session(Environment environment, Repository repository, bool insecure)
    : environment_(std::move(environment)),
      repository_(std::move(repository)),
      insecure_(insecure),
      origin_(parse_url(environment_.endpoint, "HF_ENDPOINT")),
      http_(environment_.timeout_seconds) {
  require_private(origin_, "HF_ENDPOINT " + environment_.endpoint);
}

Listing Session::list() {
  const std::string url = environment_.endpoint + repository_.api_path() + "/revision/main";
  const HttpResponse response = ask({.url = url, .token = environment_.token});
  try {
    return listing_in(response.body, url);
  } catch (const Error& error) {
    throw network_error("{} does not answer as a hub does: {}; check HF_ENDPOINT", environment_.endpoint, error.what());
  }
}

RemoteFile Session::look_at(const Listing& listing, const std::string& file) {
  std::string url = file_url(listing.commit, file);
  for (int hop = 0; hop < most_redirects; ++hop) {
    HttpRequest request{.url = url, .head_only = true};
    if (same_origin(parse_url(url, "redirect"), origin_)) request.token = environment_.token;
    const HttpResponse response = ask(request);
    const std::string etag = etag_in(response);
    const bool redirected = is_redirect(response.status);
    if (redirected && response.header("x-repo-commit").empty() && response.header("x-linked-etag").empty()) {
      url = resolve_reference(url, response.header("location"));  // a repository that was renamed
      require_private(parse_url(url, "redirect"), "the redirect to " + url);
      continue;
    }
    const std::string commit = response.header("x-repo-commit");
    if (!commit.empty() && commit != listing.commit) {
      throw network_error("{}: {} is of commit {}, expected {}; try again", environment_.endpoint, file, commit,
                          listing.commit);
    }
    if (!is_name(etag)) {
      throw network_error("{}: no usable ETag for {} (found '{}'); check HF_ENDPOINT", environment_.endpoint, file,
                          etag);
    }
    const std::string linked = response.header("x-linked-size");
    const std::string length = redirected ? "" : response.header("content-length");
    return {.name = file, .commit = listing.commit, .etag = etag, .size = size_in(linked.empty() ? length : linked)};
  }
  throw network_error("{}: more than {} redirects for {}", environment_.endpoint, most_redirects, file);
}

void Session::download(const RemoteFile& file, const std::function<std::int64_t()>& begin, const Sink& sink) {
  const std::string url = file_url(file.commit, file.name);
  Retry retry;
  for (;;) {
    const std::int64_t before = begin();
    std::string reason;
    std::optional<double> asked;
    try {
      const HttpResponse response = follow({.url = url, .token = environment_.token, .first_byte = before}, sink);
      if (response.status == 200 || response.status == 206) return;
      if (!may_pass(response.status)) refuse(response, url);
      reason = fmt::format("{}: HTTP {}", file.name, response.status);
      asked = retry_after_seconds(response.header("retry-after"));
    } catch (const ConnectionError& error) {
      reason = fmt::format("{}: {}", file.name, error.what());
    }
    if (begin() > before) retry.progress();
    if (!retry.wait(reason, asked)) {
      throw network_error(
          "{}: {}, {} times in a row; what has arrived is kept, and the same command goes on from there",
          environment_.endpoint, reason, most_tries);
    }
  }
}

// With further tries; a redirect is an answer.
HttpResponse Session::ask(HttpRequest request, const Sink& sink) {
  Retry retry;
  for (;;) {
    std::string reason;
    std::optional<double> asked;
    try {
      HttpResponse response = request.head_only ? http_.exchange(request, sink) : follow(request, sink);
      if (response.status < 400) return response;
      if (!may_pass(response.status)) refuse(response, request.url);
      reason = fmt::format("{}: HTTP {}", request.url, response.status);
      asked = retry_after_seconds(response.header("retry-after"));
    } catch (const ConnectionError& error) {
      reason = fmt::format("{}: {}", request.url, error.what());
    }
    if (!retry.wait(reason, asked)) {
      throw network_error(
          "'{}' is no path that exists, so it was looked up as a {} of the Hugging Face hub ({}), which cannot be "
          "reached or goes on failing: {}, {} times in a row. Try later, set HF_ENDPOINT to a mirror, or give a folder",
          repository_.id, repository_.kind(), environment_.endpoint, reason, most_tries);
    }
  }
}

// The token is shown to the hub itself, never to where it sends its reader on.
HttpResponse Session::follow(HttpRequest request, const Sink& sink) {
  for (int hop = 0; hop < most_redirects; ++hop) {
    HttpResponse response = http_.exchange(request, sink);
    if (!is_redirect(response.status)) return response;
    request.url = resolve_reference(request.url, response.header("location"));
    const Url next = parse_url(request.url, "redirect");
    require_private(next, "the redirect to " + request.url);
    if (!same_origin(next, origin_)) request.token.clear();
  }
  throw network_error("{}: more than {} redirects, the last to {}", environment_.endpoint, most_redirects, request.url);
}

std::string Session::file_url(const std::string& commit, const std::string& file) const {
  return environment_.endpoint + repository_.page_path() + "/resolve/" + commit + "/" + escape_path(file);
}

void Session::require_private(const Url& url, const std::string& text) const {
  if (url.scheme == "https" || is_loopback(url) || insecure_) return;
  throw usage_error(
      "{}: plain HTTP to another machine, where anyone on the way can read the token and change the weights; use "
      "https://, or --insecure where you mean it",
      text);
}

void Session::refuse(const HttpResponse& response, const std::string& url) const {
  const Url asked = parse_url(response.url, "redirect");
  if (!same_origin(asked, origin_)) {  // without the address: it holds a signature
    throw network_error("{}: HTTP {} from {}, where the hub sends its readers; try again", url, response.status,
                        asked.host);
  }
  const std::string code = response.header("x-error-code");
  const std::string said = response.header("x-error-message");
  const std::string page = environment_.endpoint + repository_.page_path();
  const bool token = !environment_.token.empty();
  if (code == "GatedRepo") {
    throw input_error("'{}' is gated and {}; accept its conditions at {} and set HF_TOKEN to a token of that account",
                      repository_.id, token ? "the account of this token has not been let in" : "no token was given",
                      page);
  }
  if (code == "RevisionNotFound") throw input_error("'{}' has no branch `main` at {}", repository_.id, page);
  if (code == "EntryNotFound") throw input_error("'{}' has no longer this file: {}; try again", repository_.id, url);
  if (response.status == 401 && token && code != "RepoNotFound") {
    throw input_error("{} does not accept the token of HF_TOKEN, or of its file{}; make a new one, or unset it",
                      environment_.endpoint, said.empty() ? "" : fmt::format(" ({})", said));
  }
  if (response.status == 401 || response.status == 404) {
    throw input_error(
        "'{}' is no path that exists, and {} has no {} of that name, or {}; check the name, or set HF_TOKEN "
        "for a private one, or give a folder",
        repository_.id, environment_.endpoint, repository_.kind(),
        token ? "the account of this token may not see it" : "it is private and no token was given");
  }
  if (response.status == 403) {
    throw input_error("{} refuses access to '{}'{}; see {}", environment_.endpoint, repository_.id,
                      said.empty() ? "" : fmt::format(": {}", said), page);
  }
  throw network_error("{}: HTTP {}{}; check HF_ENDPOINT", url, response.status,
                      said.empty() ? "" : fmt::format(": {}", said));
}

}  // namespace fedtune::hub
