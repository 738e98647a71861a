// Files that survive a crash, and the errors that say what to do.
//
// What cannot be read (missing, a folder, no permission) is Error(input); what cannot be written is Error(failed),
// naming path, reason and remedy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "fedtune/base/file_descriptor.h"

namespace fedtune {

std::string read_file(const std::filesystem::path& path);

// Replaces the file's content at once or not at all, and returns when that is on disk: temporary file in the same
// folder, write, fsync, rename, fsync of the folder. On an error the old file is intact and the temporary one removed.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Lengthens a file that is there, and returns when that is on disk. On an error, or in a crash, a part may have been
// added.
void append_to_file(const std::filesystem::path& path, std::string_view content);

// Creates a folder and those above it. Throws Error(failed).
void create_folders(const std::filesystem::path& folder);

// Another name at each call, for what will be renamed to `path`: ".f.fedtune-tmp-1234-0" beside "f". Where a process of
// the same number was killed, something may have that name.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

// Whether a name is one of temporary_beside, which write_file_atomically uses too.
bool is_temporary(const std::filesystem::path& path);

// Removes the temporary files that a killed process left in a folder. Call it where no other process writes.
void remove_temporary_files(const std::filesystem::path& folder);

// The same as write_file_atomically, piece by piece. Not thread-safe.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();  // removes the temporary file unless committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // The file appears under its name; call once.
  void commit();

 private:
  std::filesystem::path path_;
  std::string temporary_;
  FileDescriptor file_;
};

// A file's bytes, read-only, as long as the object lives. The file must not shrink meanwhile.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  // The bytes that an open file has now; `path` is for messages.
  static std::shared_ptr<const MappedFile> of(const FileDescriptor& file, const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes);
  std::span<const std::byte> bytes_;
};

// For whoever has read bytes of a MappedFile and does not need them soon: lets go of the pages they lie in, and of 2 MB
// before and behind them, as far as Linux maps more than was read. They are read again when they are needed. Bytes that
// lie elsewhere stay as they are. Interrupts all threads of the process.
void release_pages(std::span<const std::byte> bytes);

// A file that only grows, line by line. Thread-safe.
class AppendFile {
 public:
  // Opens or creates it. A last line without its end is cut off.
  explicit AppendFile(std::filesystem::path path);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // Appends the line and its end; from then on a crash of the process keeps it, one of the machine once sync() has
  // returned. A line that could not be written whole is cut off.
  void append_line(std::string_view line);
  // Returns once all lines are on disk.
  void sync();
  std::int64_t size() const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;
  mutable std::mutex mutex_;
};

// Shortens a file to `bytes`, on disk when it returns. A shorter or missing file is left alone.
void cut_file(const std::filesystem::path& path, std::int64_t bytes);

}  // namespace fedtune
