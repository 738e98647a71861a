#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "fedtune/base/file.h"
#include "fedtune/base/file_error.h"

namespace fedtune {
namespace {

constexpr std::string_view temporary_mark = ".fedtune-tmp-";

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// ".model.safetensors.fedtune-tmp-1234-0" beside "model.safetensors".
std::string temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> next{0};
  const std::string name = fmt::format(".{}{}{}-{}", path.filename().string(), temporary_mark, ::getpid(), next++);
  return (folder_of(path) / name).string();
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  do {
    temporary_ = temporary_name(path_);
    file_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  } while (!file_.is_open() && errno == EEXIST);
  if (!file_.is_open()) throw write_error(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (const int error = write_all(file_.get(), bytes); error != 0) throw write_error(path_, error);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
  if (::fsync(file_.get()) != 0) throw write_error(path_, errno);
  if (const int error = file_.close(); error != 0) throw write_error(path_, error);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw write_error(path_, errno);
  temporary_.clear();
  if (const int error = sync_folder(folder_of(path_)); error != 0) throw write_error(path_, error);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void remove_temporary_files(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.find(temporary_mark) != std::string::npos) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

}  // namespace fedtune
