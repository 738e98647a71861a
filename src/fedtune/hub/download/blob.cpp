#include "fedtune/hub/download/blob.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file_descriptor.h"
#include "fedtune/base/file_error.h"
#include "fedtune/base/log.h"
#include "fedtune/hub/download/checksum.h"

namespace fedtune::hub {
namespace {

namespace fs = std::filesystem;

// ETAG.incomplete: grows at its end.
class IncompleteFile {
 public:
  explicit IncompleteFile(fs::path path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    struct stat status = {};
    if (!file_.is_open() || ::fstat(file_.get(), &status) != 0) throw write_error(path_, errno);
    size_ = status.st_size;
  }

  std::int64_t size() const { return size_; }

  void clear() {
    if (::ftruncate(file_.get(), 0) != 0) throw write_error(path_, errno);
    size_ = 0;
  }

  void append(std::string_view bytes) {
    if (const int error = write_all(file_.get(), std::as_bytes(std::span(bytes))); error != 0) {
      throw write_error(path_, error);
    }
    size_ += static_cast<std::int64_t>(bytes.size());
  }

  void sync() {
    if (::fsync(file_.get()) != 0) throw write_error(path_, errno);
  }

 private:
  fs::path path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;
};

// Whether a 206 continues at `offset`: "bytes 100-199/200".
bool continues_at(const HttpResponse& head, std::int64_t offset) {
  return head.header("content-range").starts_with(fmt::format("bytes {}-", offset));
}

// Downloads what the file lacks. Returns whether it held something before.
bool complete(IncompleteFile& part, Session& session, const RemoteFile& file, DownloadProgress& progress) {
  if (part.size() > file.size) part.clear();  // also where the size is not known, so whether it is whole
  const bool resumed = part.size() > 0;
  if (resumed) log_info("{}: going on at byte {}", file.name, part.size());
  progress.begin_file(file.name, part.size());
  bool first_piece = true;
  const auto begin = [&] {
    first_piece = true;
    return part.size();
  };
  const auto sink = [&](const HttpResponse& head, std::string_view bytes) {
    if (first_piece && part.size() > 0 && (head.status == 200 || !continues_at(head, part.size()))) {
      if (head.status == 206) throw ConnectionError("the server sent another part of the file than it was asked for");
      part.clear();  // a server without ranges begins anew
    }
    first_piece = false;
    if (file.size >= 0 && part.size() + static_cast<std::int64_t>(bytes.size()) > file.size) {
      part.clear();
      throw network_error("{}: the server sends more than the {} bytes that it announced", file.name, file.size);
    }
    part.append(bytes);
    progress.advance(part.size());
  };
  const auto is_whole = [&] { return file.size >= 0 ? part.size() == file.size : false; };
  if (!is_whole()) session.download(file, begin, sink);
  if (file.size >= 0 && !is_whole()) {
    throw network_error("{}: the server ended after {} of {} bytes", file.name, part.size(), file.size);
  }
  progress.end_file();
  return resumed;
}

void publish(const RepositoryCache& cache, const std::string& etag) {
  const fs::path blob = cache.blob(etag);
  if (std::rename(cache.incomplete(etag).c_str(), blob.c_str()) != 0) throw write_error(blob, errno);
  if (const int error = sync_folder(blob.parent_path()); error != 0) throw write_error(blob, error);
}

}  // namespace

void download_blob(Session& session, const RepositoryCache& cache, const RemoteFile& file, DownloadProgress& progress) {
  const BlobLock lock(cache.lock_file(file.etag));
  std::error_code ignored;
  if (fs::exists(cache.blob(file.etag), ignored)) return;
  for (;;) {
    bool resumed = false;
    {
      IncompleteFile part(cache.incomplete(file.etag));
      resumed = complete(part, session, file, progress);
      part.sync();
    }
    if (is_content_of(cache.incomplete(file.etag), file.etag)) break;
    fs::remove(cache.incomplete(file.etag), ignored);
    if (!resumed) {
      throw network_error(
          "{}: what was downloaded has not the hash that the hub announced ({}), and was thrown away. The server or "
          "something on the way changes files; try again, or another HF_ENDPOINT",
          file.name, file.etag);
    }
    log_warning("{}: the part that was there does not fit the rest; downloading it anew", file.name);
  }
  publish(cache, file.etag);
}

}  // namespace fedtune::hub
