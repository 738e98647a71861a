// Talks to one hub about one repository: redirects, tries, access, and what a refusal means.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fedtune/hub/download/answer.h"
#include "fedtune/hub/download/http.h"
#include "fedtune/hub/download/url.h"
#include "fedtune/hub/environment.h"
#include "fedtune/hub/repository.h"

namespace fedtune::hub {

// A file as the hub announces it.
struct RemoteFile {
  std::string name{};
  std::string commit{};
  std::string etag{};      // SHA-256 of a large file, Git's SHA-1 of a small one; a mirror may have something else
  std::int64_t size = -1;  // bytes; -1 where it is not said
};

// Not thread-safe. All throw what fetch() throws.
class Session {
 public:
  Session(Environment environment, Repository repository, bool insecure);

  Listing list();
  RemoteFile look_at(const Listing& listing, const std::string& file);
  // Asks for the bytes from begin() on, which is called before every try, and feeds them to `sink`.
  void download(const RemoteFile& file, const std::function<std::int64_t()>& begin, const Sink& sink);

 private:
  HttpResponse ask(HttpRequest request, const Sink& sink = {});
  HttpResponse follow(HttpRequest request, const Sink& sink);
  std::string file_url(const std::string& commit, const std::string& file) const;
  void require_private(const Url& url, const std::string& text) const;
  [[noreturn]] void refuse(const HttpResponse& response, const std::string& url) const;

  Environment environment_;
  Repository repository_;
  bool insecure_;
  Url origin_;
  Http http_;
};

}  // namespace fedtune::hub
