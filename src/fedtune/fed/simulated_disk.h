// For tests: a disk in memory that can fill up, and that forgets on a crash what was not yet synced.
//
// Files that are there lie in a real folder, so that they can be read as ever. What a crash would leave is kept beside
// them: names last from the sync of their folder on, bytes from the sync of their file on. Of names that were not
// synced each survives a crash or does not, by chance; of bytes that were not synced a part does.
#pragma once

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fedtune/base/disk.h"
#include "fedtune/base/random.h"

namespace fedtune::fed {

class SimulatedDisk final : public Disk {
 public:
  // What unwinds a process that has crashed.
  struct Crash {};
  enum class Fault { none, crash, full };

  // `fault` is asked before every call. `chance` decides what survives. Both outlive the disk.
  SimulatedDisk(std::filesystem::path folder, std::function<Fault()> fault, RandomStream& chance)
      : folder_(std::move(folder)), fault_(std::move(fault)), chance_(chance) {}

  int create(const std::string& path, int& descriptor) override {
    if (const int error = struck()) return error;
    if (const int error = Disk::create(path, descriptor)) return error;
    open_[descriptor] = live_[path] = std::make_shared<Inode>();
    pending_.push_back({.name = path, .inode = live_[path]});
    return 0;
  }
  int open_to_append(const std::string& path, int& descriptor) override {
    if (const int error = struck()) return error;
    if (const int error = Disk::open_to_append(path, descriptor)) return error;
    open_[descriptor] = live_.at(path);
    return 0;
  }
  int write(int descriptor, std::span<const std::byte> bytes) override {
    const Fault fault = next_fault();
    if (dead_) return EIO;
    const std::span<const std::byte> kept =
        fault == Fault::none ? bytes : bytes.first(chance_.below(static_cast<std::uint32_t>(bytes.size()) + 1));
    open_.at(descriptor)->content.append(reinterpret_cast<const char*>(kept.data()), kept.size());
    Disk::write(descriptor, kept);
    if (fault == Fault::crash) crash();
    return fault == Fault::full ? ENOSPC : 0;
  }
  int sync(int descriptor) override {
    if (const int error = struck()) return error;
    open_.at(descriptor)->synced = open_.at(descriptor)->content.size();
    return 0;
  }
  int rename(const std::string& from, const std::string& to) override {
    if (const int error = struck()) return error;
    const std::shared_ptr<Inode> inode = live_.at(from);
    live_.erase(from);
    live_[to] = inode;
    pending_.push_back({.name = to, .inode = inode, .gone = from});
    return Disk::rename(from, to);
  }
  int remove(const std::string& path) override {
    if (dead_) return 0;
    if (next_fault() == Fault::crash) {  // a full disk can still remove
      dead_ = true;
      if (std::uncaught_exceptions() > 0) return 0;  // what unwinds already will do
      throw Crash{};
    }
    live_.erase(path);
    pending_.push_back({.name = path, .inode = nullptr});
    return Disk::remove(path);
  }
  int sync_folder(const std::string& /*path*/) override {
    if (const int error = struck()) return error;
    durable_ = live_;
    pending_.clear();
    return 0;
  }

  // The process is gone: nothing it still does has an effect.
  [[noreturn]] void crash() {
    dead_ = true;
    throw Crash{};
  }
  bool is_dead() const { return dead_; }
  // The machine is up again, with what the crash has left. `power` says whether it was the machine that failed: where
  // only the process did, nothing is lost.
  void restart(bool power) {
    if (power) {
      for (const Change& change : pending_) {
        if (chance_.below(2) == 0) continue;
        if (change.gone) durable_.erase(*change.gone);
        change.inode ? void(durable_[change.name] = change.inode) : void(durable_.erase(change.name));
      }
      live_ = durable_;
      for (auto& [name, inode] : live_) {
        const auto lost = static_cast<std::uint32_t>(inode->content.size() - inode->synced);
        if (lost > 0) inode->content.resize(inode->synced + chance_.below(lost));
      }
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) std::filesystem::remove(entry.path());
    for (const auto& [name, inode] : live_) {
      std::ofstream(name, std::ios::binary) << inode->content;
      inode->synced = inode->content.size();
    }
    durable_ = live_;
    pending_.clear();
    open_.clear();
    dead_ = false;
  }

 private:
  struct Inode {
    std::string content{};
    std::size_t synced = 0;  // bytes of it
  };
  // A name that came or went and is not synced.
  struct Change {
    std::string name;
    std::shared_ptr<Inode> inode;          // null: it went
    std::optional<std::string> gone = {};  // the name it had before
  };

  Fault next_fault() { return dead_ ? Fault::none : fault_(); }
  // The errno of a call that fails; throws where the process crashes instead.
  int struck() {
    if (dead_) return EIO;
    const Fault fault = next_fault();
    if (fault == Fault::crash) crash();
    return fault == Fault::full ? ENOSPC : 0;
  }

  std::filesystem::path folder_;
  std::function<Fault()> fault_;
  RandomStream& chance_;
  std::map<std::string, std::shared_ptr<Inode>> live_, durable_;
  std::vector<Change> pending_;
  std::map<int, std::shared_ptr<Inode>> open_;  // by descriptor
  bool dead_ = false;
};

}  // namespace fedtune::fed
