#include "fedtune/base/scratch_file.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fedtune/base/file_error.h"

namespace fedtune {
namespace {

FileDescriptor open_scratch(const std::filesystem::path& folder) {
#if defined(O_TMPFILE)
  FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.is_open()) return file;
#endif
  // Not every file system has files without names: one that loses its name at once.
  std::string pattern = (folder / ".fedtune-scratch-XXXXXX").string();
  FileDescriptor named(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!named.is_open()) throw write_error(folder, errno);
  ::unlink(pattern.c_str());
  return named;
}

}  // namespace

ScratchFile::ScratchFile(std::filesystem::path folder)
    : folder_(folder.empty() ? std::filesystem::temp_directory_path() : std::move(folder)),
      file_(open_scratch(folder_)) {}

void ScratchFile::append(std::span<const std::byte> bytes) {
  if (::lseek(file_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) throw write_error(folder_, errno);
  if (const int error = write_all(file_.get(), bytes); error != 0) throw write_error(folder_, error);
  size_ += bytes.size();
}

std::shared_ptr<const MappedFile> ScratchFile::map() const {
  return MappedFile::of(file_, folder_);
}

}  // namespace fedtune
