// Where the time of a training step goes, by kind of work. Off until start_profile; then two clock reads a scope.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace fedtune {

enum class StepKind : std::uint8_t { client, teacher, distillation };
// `rest` is what no scope claims: autograd's own, the head, small tensors.
enum class Work : std::uint8_t {
  products,
  adapters,
  attention,
  norms,
  activations,
  embeddings,
  loss,
  optimiser,
  batch,
  rest
};

// Counts what its thread does in its lifetime, less what scopes inside it count. Does nothing outside a ProfiledStep.
class ProfileScope {
 public:
  explicit ProfileScope(Work work);
  ~ProfileScope();
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

  // Adds to the floating-point operations of the work.
  void count(double operations);

 private:
  friend class ProfiledStep;
  ProfileScope(Work work, bool counting);

  Work work_;
  bool counting_;
  ProfileScope* outer_ = nullptr;
  double start_ = 0.0;   // seconds, of steady_seconds
  double inside_ = 0.0;  // seconds that scopes within it took
};

// One step of training, on its thread.
class ProfiledStep {
 public:
  explicit ProfiledStep(StepKind kind);

 private:
  ProfileScope rest_;
};

// Forgets what was counted and counts from now on. Call while no step is under way.
void start_profile();

struct WorkShare {
  Work work;
  double seconds;     // of a step, on its thread
  double operations;  // floating-point, of a step; 0 where they are not counted
};

struct StepProfile {
  StepKind kind;
  std::int64_t steps = 0;
  double seconds = 0.0;           // of a step, on its thread
  std::vector<WorkShare> work{};  // what took any time, the longest first
};

// The kinds of step that were taken since start_profile.
std::vector<StepProfile> profile();

std::string_view name_of(StepKind kind);  // "client"
std::string_view name_of(Work work);      // "matrix products"

}  // namespace fedtune
