// The system calls by which files are changed for good, so that a simulation can put a failing disk in front of them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fedtune {

// Each returns 0, or the errno of what failed. Paths end up in the calls as they are.
class Disk {
 public:
  virtual ~Disk() = default;
  // A new file for writing; `descriptor` is its own once 0 is returned.
  virtual int create(const std::string& path, int& descriptor);
  // A file that is there, for writing at its end.
  virtual int open_to_append(const std::string& path, int& descriptor);
  virtual int write(int descriptor, std::span<const std::byte> bytes);  // all of them
  virtual int sync(int descriptor);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int remove(const std::string& path);
  virtual int sync_folder(const std::string& path);
};

// The disk of this thread: the real one, unless a UseDisk lives.
Disk& disk();

// Puts another in its place while it lives, for this thread.
class UseDisk {
 public:
  explicit UseDisk(Disk& other);
  ~UseDisk();
  UseDisk(const UseDisk&) = delete;
  UseDisk& operator=(const UseDisk&) = delete;

 private:
  Disk* before_;
};

}  // namespace fedtune
