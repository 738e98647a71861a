#include "fedtune/hub/fetch.h"

#include <algorithm>
#include <system_error>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/hub/cache.h"
#include "fedtune/hub/download/blob.h"
#include "fedtune/hub/download/progress.h"
#include "fedtune/hub/download/session.h"
#include "fedtune/hub/needed_files.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;

// Downloads into one snapshot.
class Fetcher {
 public:
  Fetcher(Session& session, const RepositoryCache& cache, Listing listing, const std::string& label)
      : session_(session), cache_(cache), listing_(std::move(listing)), progress_(label) {}

  void get(const std::vector<std::string>& names) {
    std::vector<RemoteFile> files;
    std::int64_t bytes = 0;
    for (const std::string& name : names) {
      if (is_there(name)) continue;
      files.push_back(session_.look_at(listing_, name));
      const std::int64_t size = files.back().size;
      if (size < 0 || bytes < 0 || __builtin_add_overflow(bytes, size, &bytes)) bytes = -1;
    }
    if (files.empty()) return;
    require_space(bytes);
    progress_.expect(static_cast<int>(files.size()), bytes);
    for (const RemoteFile& file : files) {
      download_blob(session_, cache_, file, progress_);
      cache_.link(listing_.commit, file.name, file.etag);
    }
    fetched_ = true;
  }

  void finish() {
    if (fetched_) progress_.finish();
  }

  fs::path path(const std::string& name) const { return cache_.snapshot(listing_.commit) / name; }

 private:
  bool is_there(const std::string& name) const {
    std::error_code ignored;
    return fs::exists(path(name), ignored);
  }

  void require_space(std::int64_t bytes) const {
    std::error_code error;
    const fs::space_info space = fs::space(cache_.folder(), error);
    if (error || bytes < 0 || static_cast<std::uintmax_t>(bytes) <= space.available) return;
    throw failed("{}: {} are to be downloaded and {} are free; free some, or set HF_HUB_CACHE to another disk",
                 cache_.folder().string(), size_text(static_cast<double>(bytes)),
                 size_text(static_cast<double>(space.available)));
  }

  Session& session_;
  const RepositoryCache& cache_;
  Listing listing_;
  DownloadProgress progress_;
  bool fetched_ = false;
};

}  // namespace

std::string fetch(const Environment& environment, const FetchRequest& request) {
  const RepositoryCache cache(environment.cache, request.repository);
  Session session(environment, request.repository, request.insecure);
  const Listing listing = session.list();
  const std::vector<std::string> chosen = request.choose(listing.files);
  cache.create();
  Fetcher fetcher(session, cache, listing, fmt::format("{} ({})", request.repository.id, listing.commit.substr(0, 8)));
  fetcher.get(chosen);
  for (const std::string& name : chosen) {
    if (name.ends_with(".index.json")) {
      fetcher.get(shards_of_index(read_file(fetcher.path(name)), fetcher.path(name).string()));
    }
  }
  fetcher.finish();
  cache.set_commit(listing.commit);
  return listing.commit;
}

}  // namespace fedtune::hub
