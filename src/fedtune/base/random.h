// Random numbers as a function of where they are used, never of what ran before.
//
// Every random choice names its place in the run with a StreamKey. The key is hashed to a Philox key; a counter-based
// generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox4x32-10) then maps counters to
// bits. Threads, workers, arrival order and interruptions therefore cannot change a draw.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace fedtune {

enum class Purpose : std::uint32_t {
  head_init = 1,
  lora_init,
  shuffle,
  dropout,
  partition,
  cohort,
  holdout,
  test,
  distil_dropout,  // while teacher and student train together; a teacher alone has `dropout`
};
enum class ModelRole : std::uint32_t { student = 1, teacher };

// The place of a random choice in a run. Fields that do not apply stay 0.
struct StreamKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::test;
  ModelRole role = ModelRole::student;
  std::uint32_t round = 0;
  std::uint32_t rank = 0;
  std::uint32_t step = 0;
  std::uint32_t site = 0;  // which use within a step: a layer's dropout, an initialised tensor
};

using PhiloxKey = std::array<std::uint32_t, 2>;
using PhiloxBlock = std::array<std::uint32_t, 4>;

PhiloxKey philox_key(const StreamKey& place);
// Ten rounds of Philox4x32.
PhiloxBlock philox(PhiloxKey key, PhiloxBlock counter);

// A sequence of draws at one place: counters 0, 1, 2, ...
class RandomStream {
 public:
  explicit RandomStream(const StreamKey& place) : key_(philox_key(place)) {}

  std::uint32_t bits();
  // In [0, 1), 24 bits.
  double uniform();
  // In [0, bound), unbiased (rejection). bound > 0.
  std::uint32_t below(std::uint32_t bound);
  // Mean 0, variance 1 (Box-Muller).
  double normal();
  // Gamma(shape, 1) (Marsaglia and Tsang 2000). shape > 0.
  double gamma(double shape);
  // Fisher-Yates: a uniformly random order of 0 .. count-1.
  std::vector<std::uint32_t> permutation(std::uint32_t count);

 private:
  PhiloxKey key_;
  std::uint64_t next_block_ = 0;
  PhiloxBlock block_{};
  int used_ = 4;
};

}  // namespace fedtune
