// System calls on file descriptors that retry and report.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace fedtune {

// Closes what it holds.
class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const noexcept { return descriptor_; }
  bool is_open() const noexcept { return descriptor_ >= 0; }
  // Closes now; errno of the close, 0 when it went well.
  int close() noexcept;

 private:
  int descriptor_;
};

// Throws Error(input) where it cannot be opened.
FileDescriptor open_for_reading(const std::filesystem::path& path);
// 0, or the errno of what failed; all bytes are written or an error is returned.
int write_all(int descriptor, std::span<const std::byte> bytes) noexcept;
// Makes names in a folder durable; file systems that cannot are passed over. 0 or the errno.
int sync_folder(const std::filesystem::path& folder) noexcept;

}  // namespace fedtune
