#include "fedtune/fed/spill.h"

#include <atomic>
#include <utility>

#include "fedtune/fed/payload.h"

namespace fedtune::fed {
namespace {

using Owner = std::shared_ptr<const void>;

Owner both(Owner one, Owner other) {
  return std::make_shared<std::pair<Owner, Owner>>(std::move(one), std::move(other));
}

NamedTensors mapped_tensors(const Layout& layout, const ScratchFile& file) {
  const std::shared_ptr<const MappedFile> mapped = file.map();
  NamedTensors tensors = tensors_in(layout, mapped->bytes(), mapped);
  tensors.mapped = true;
  return tensors;
}

}  // namespace

// What is left of the memory that may be used.
class Spill::Memory : public std::enable_shared_from_this<Memory> {
 public:
  explicit Memory(std::size_t bytes) : left_(bytes) {}

  // Holds the bytes while it lives; null where there are too few.
  Owner claim(std::size_t bytes) {
    std::size_t left = left_;
    do {
      if (left < bytes) return nullptr;
    } while (!left_.compare_exchange_weak(left, left - bytes));
    return {this, [self = shared_from_this(), bytes](const void*) { self->left_ += bytes; }};
  }

 private:
  std::atomic<std::size_t> left_;
};

Arrival::Arrival(std::size_t room, Owner claim, std::unique_ptr<ScratchFile> file)
    : room_(room), claim_(std::move(claim)), file_(std::move(file)) {
  if (file_) return;
  memory_ = std::make_shared<std::vector<std::byte>>();
  memory_->reserve(room_);
}

std::size_t Arrival::size() const {
  const std::scoped_lock lock(mutex_);
  return file_ ? file_->size() : memory_->size();
}

bool Arrival::append(std::size_t offset, std::span<const std::byte> bytes) {
  const std::scoped_lock lock(mutex_);
  const std::size_t size = file_ ? file_->size() : memory_->size();
  if (offset != size || bytes.size() > room_ - size) return false;
  if (file_) {
    file_->append(bytes);
  } else {
    memory_->insert(memory_->end(), bytes.begin(), bytes.end());
  }
  return true;
}

NamedTensors Arrival::tensors(const Layout& layout) const {
  const std::scoped_lock lock(mutex_);
  return file_ ? mapped_tensors(layout, *file_) : tensors_in(layout, *memory_, both(memory_, claim_));
}

Spill::Spill(SpillOptions options)
    : options_(std::move(options)), memory_(std::make_shared<Memory>(options_.in_memory)) {}

std::shared_ptr<Arrival> Spill::expect(std::size_t bytes) {
  Owner claim = memory_->claim(bytes);
  std::unique_ptr<ScratchFile> file = claim ? nullptr : std::make_unique<ScratchFile>(options_.folder);
  return std::shared_ptr<Arrival>(new Arrival(bytes, std::move(claim), std::move(file)));
}

NamedTensors Spill::hold(NamedTensors tensors) {
  if (tensors.mapped) return tensors;
  if (Owner claim = memory_->claim(tensors.total_bytes())) {
    tensors.owner = both(std::move(tensors.owner), std::move(claim));
    return tensors;
  }
  const Payload payload(tensors);
  ScratchFile file(options_.folder);
  for (const std::span<const std::byte> piece : payload.pieces(0, payload.size())) file.append(piece);
  return mapped_tensors(layout_of(tensors), file);
}

}  // namespace fedtune::fed
