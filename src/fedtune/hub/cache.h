// A repository's folder in the Hugging Face cache, as huggingface_hub lays it out:
//
//   models--owner--name/blobs/ETAG               contents; ETAG.incomplete while one is being downloaded
//   models--owner--name/refs/main                the commit that `main` stood at
//   models--owner--name/snapshots/COMMIT/FILE    links to the blobs
//   .locks/models--owner--name/ETAG.lock         flock'ed by whoever downloads that blob, in either program
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fedtune/base/file_descriptor.h"
#include "fedtune/hub/repository.h"

namespace fedtune::hub {

class RepositoryCache {
 public:
  RepositoryCache(std::filesystem::path cache, const Repository& repository);

  const std::filesystem::path& folder() const { return folder_; }
  // The commit in refs/main, if any. Throws Error(input) where that is no commit.
  std::optional<std::string> commit() const;
  std::filesystem::path snapshot(const std::string& commit) const;
  // The files of a snapshot, as "name" or "folder/name", sorted; none where it is not there. A link whose blob is
  // missing is left out.
  std::vector<std::string> files(const std::string& commit) const;

  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path incomplete(const std::string& etag) const;
  // The folders that writers need. Throws Error(failed), as all below.
  void create() const;
  std::filesystem::path lock_file(const std::string& etag) const;
  // Makes snapshots/COMMIT/FILE a link to the blob; a copy where the file system has no links. Several
  // may make the same at once.
  void link(const std::string& commit, const std::string& file, const std::string& etag) const;
  void set_commit(const std::string& commit) const;

 private:
  std::filesystem::path cache_, folder_;
  std::string name_;
};

// Held while the object lives and released when the process ends, however it ends.
class BlobLock {
 public:
  // Waits while another process holds it, which is said once. Throws Error(failed), Interrupted.
  explicit BlobLock(const std::filesystem::path& file);

 private:
  FileDescriptor file_;
};

}  // namespace fedtune::hub
