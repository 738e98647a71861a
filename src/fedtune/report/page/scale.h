// From values to places on an axis.
#pragma once

#include <string>
#include <vector>

namespace fedtune::report {

// An interval of values or of places.
struct Interval {
  double low = 0.0;
  double high = 1.0;
};

enum class Spacing { linear, logarithmic };

// Round values that cover `data`, about `count` of them: steps of 1, 2, 2.5 or 5 times a power of ten, or powers of ten
// (with their halves and fifths where there are few) on a logarithmic axis. Finite data, up to 1e300 either way; values
// that differ by less than a billionth of their size are one, around which the ticks lie.
std::vector<double> ticks(const Interval& data, int count, Spacing spacing = Spacing::linear);
// Whole numbers alone.
std::vector<double> whole_ticks(const Interval& data, int count);

// "0.65", "0.70" for ticks 0.05 apart: as many decimals as their distance needs.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

class Scale {
 public:
  // `places` may run backwards, as a y axis does.
  Scale(const Interval& values, const Interval& places, Spacing spacing = Spacing::linear);
  double operator()(double value) const;

 private:
  double mapped(double value) const;

  Interval values_, places_;
  Spacing spacing_;
};

}  // namespace fedtune::report
