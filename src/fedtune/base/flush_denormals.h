// Subnormal numbers count as zero: they cost a hundred times a normal operation and carry nothing in training.
#pragma once

namespace fedtune {

// For the calling thread, while the object lives: subnormal operands and results are zero (DAZ and FTZ).
class FlushDenormals {
 public:
  FlushDenormals() noexcept;
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_;
};

}  // namespace fedtune
