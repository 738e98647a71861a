#include "fedtune/base/profile.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

#include "fedtune/base/clock.h"

namespace fedtune {
namespace {

constexpr std::array<std::string_view, 3> kind_names{"client", "teacher", "distillation"};
constexpr std::array<std::string_view, 10> work_names{"matrix products", "adapters",   "attention", "norms",
                                                      "activations",     "embeddings", "loss",      "optimiser",
                                                      "batch",           "rest"};

struct Counted {
  std::atomic<double> seconds = 0.0;
  std::atomic<double> operations = 0.0;
};

struct KindCounts {
  std::atomic<std::int64_t> steps = 0;
  std::array<Counted, work_names.size()> work;
};

std::atomic<bool> counting = false;
std::array<KindCounts, kind_names.size()> counts;

// Where this thread is.
struct Place {
  StepKind kind = StepKind::client;
  ProfileScope* innermost = nullptr;
};
thread_local Place place;

template <typename Enum>
std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}

KindCounts& counts_here() {
  return counts[index_of(place.kind)];
}

// Whether the step counts.
bool begin_step(StepKind kind) {
  if (!counting.load(std::memory_order_relaxed)) return false;
  place.kind = kind;
  ++counts_here().steps;
  return true;
}

StepProfile profile_of(std::size_t kind) {
  const KindCounts& counted = counts[kind];
  StepProfile result{.kind = static_cast<StepKind>(kind), .steps = counted.steps};
  const auto steps = static_cast<double>(result.steps);
  for (std::size_t i = 0; i < work_names.size(); ++i) {
    const double seconds = counted.work[i].seconds / steps;
    if (seconds == 0.0) continue;
    result.seconds += seconds;
    result.work.push_back({static_cast<Work>(i), seconds, counted.work[i].operations / steps});
  }
  std::ranges::stable_sort(result.work, std::ranges::greater(), &WorkShare::seconds);
  return result;
}

}  // namespace

ProfileScope::ProfileScope(Work work) : ProfileScope(work, place.innermost != nullptr) {}

ProfileScope::ProfileScope(Work work, bool counting) : work_(work), counting_(counting) {
  if (!counting_) return;
  outer_ = place.innermost;
  place.innermost = this;
  start_ = steady_seconds();
}

ProfileScope::~ProfileScope() {
  if (!counting_) return;
  const double taken = steady_seconds() - start_;
  counts_here().work[index_of(work_)].seconds += taken - inside_;
  place.innermost = outer_;
  if (outer_ != nullptr) outer_->inside_ += taken;
}

void ProfileScope::count(double operations) {
  if (counting_) counts_here().work[index_of(work_)].operations += operations;
}

ProfiledStep::ProfiledStep(StepKind kind) : rest_(Work::rest, begin_step(kind)) {}

void start_profile() {
  for (KindCounts& kind : counts) {
    kind.steps = 0;
    for (Counted& work : kind.work) {
      work.seconds = 0.0;
      work.operations = 0.0;
    }
  }
  counting = true;
}

std::vector<StepProfile> profile() {
  std::vector<StepProfile> all;
  for (std::size_t kind = 0; kind < kind_names.size(); ++kind) {
    if (counts[kind].steps > 0) all.push_back(profile_of(kind));
  }
  return all;
}

std::string_view name_of(StepKind kind) {
  return kind_names[index_of(kind)];
}

std::string_view name_of(Work work) {
  return work_names[index_of(work)];
}

}  // namespace fedtune
