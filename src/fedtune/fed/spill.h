// Where contributions wait for their round to end: the first in memory, the others on disk, so that what a server needs
// does not grow with its clients.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "fedtune/base/scratch_file.h"
#include "fedtune/format/named_tensors.h"

namespace fedtune::fed {

struct SpillOptions {
  std::filesystem::path folder{};                 // of the files; empty: the system's for temporary files
  std::size_t in_memory = std::size_t{8} << 20U;  // bytes kept in memory before files are used
};

class Spill;

// One contribution as it arrives. Thread-safe.
class Arrival {
 public:
  // Bytes that have arrived.
  std::size_t size() const;
  // Takes the next bytes. False where they do not start at size(), or are more than there is room for. Throws
  // Error(failed) when the disk is full.
  bool append(std::size_t offset, std::span<const std::byte> bytes);
  // The tensors, once all has arrived; they stay when the Arrival goes. Throws Error(network) when the size is not the
  // layout's.
  NamedTensors tensors(const Layout& layout) const;

 private:
  friend class Spill;
  Arrival(std::size_t room, std::shared_ptr<const void> claim, std::unique_ptr<ScratchFile> file);

  const std::size_t room_;
  const std::shared_ptr<const void> claim_;  // on the bytes of memory; null where there is a file
  mutable std::mutex mutex_;                 // guards what follows
  std::shared_ptr<std::vector<std::byte>> memory_;
  const std::unique_ptr<ScratchFile> file_;
};

// Thread-safe; may go before what it gave.
class Spill {
 public:
  explicit Spill(SpillOptions options = {});

  // Room for a contribution of so many bytes. Throws Error(failed) where a file is needed and cannot be had.
  std::shared_ptr<Arrival> expect(std::size_t bytes);
  // The same tensors, which need no memory where there is too little left. Throws as expect and append.
  NamedTensors hold(NamedTensors tensors);

 private:
  class Memory;

  const SpillOptions options_;
  std::shared_ptr<Memory> memory_;
};

}  // namespace fedtune::fed
