#include "fedtune/report/page/scale.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace fedtune::report {
namespace {

// Beyond these a range could be infinite, or its steps 0.
constexpr double largest = 1e300, smallest = 1e-300;
constexpr double least_range = 1e-9;  // as a share of the values: what lies closer together is one value

double round_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  }
  return 10.0 * power;
}

std::vector<double> multiples(const Interval& data, double step) {
  std::vector<double> values;
  const double first = std::floor(data.low / step + 1e-9), last = std::ceil(data.high / step - 1e-9);
  for (double i = first; i <= last; ++i) values.push_back(i * step);
  return values;
}

std::vector<double> powers(const Interval& data, int count) {
  const double low = std::floor(std::log10(data.low) + 1e-9), high = std::ceil(std::log10(data.high) - 1e-9);
  std::vector<double> values;
  const bool few = high - low < count / 2.0;
  for (double power = low; power <= high; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor == 1.0 || (few && power < high)) values.push_back(factor * std::pow(10.0, power));
    }
  }
  // The axis begins and ends with the last tick on either side of the data.
  while (values.size() > 2 && values[1] <= data.low) values.erase(values.begin());
  while (values.size() > 2 && values[values.size() - 2] >= data.high) values.pop_back();
  return values;
}

}  // namespace

std::vector<double> ticks(const Interval& data, int count, Spacing spacing) {
  if (spacing == Spacing::logarithmic) return powers(data, count);
  Interval wide{.low = std::clamp(data.low, -largest, largest), .high = std::clamp(data.high, -largest, largest)};
  const double size = std::max(std::abs(wide.low), std::abs(wide.high));
  if (!(wide.high - wide.low > std::max(size * least_range, smallest))) {
    const double margin = size <= smallest ? 1.0 : size * 0.1;
    wide = {.low = wide.low - margin, .high = wide.high + margin};
  }
  return multiples(wide, round_step((wide.high - wide.low) / std::max(count - 1, 1)));
}

std::vector<double> whole_ticks(const Interval& data, int count) {
  const double range = std::max(data.high - data.low, 1.0);
  const double step = std::max(1.0, std::ceil(round_step(range / std::max(count, 1))));
  std::vector<double> values;
  for (double value = std::ceil(data.low); value <= data.high + 1e-9; value += step) values.push_back(value);
  return values;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  double step = 1e300;
  for (std::size_t i = 1; i < ticks.size(); ++i) step = std::min(step, ticks[i] - ticks[i - 1]);
  int decimals = 0;
  for (double unit = step; decimals < 6 && std::abs(unit - std::round(unit)) > 1e-6 * std::max(unit, 1e-3);
       unit *= 10.0) {
    ++decimals;
  }
  std::vector<std::string> labels;
  for (const double tick : ticks) labels.push_back(fmt::format("{:.{}f}", tick == 0.0 ? 0.0 : tick, decimals));
  return labels;
}

Scale::Scale(const Interval& values, const Interval& places, Spacing spacing)
    : values_(values), places_(places), spacing_(spacing) {}

double Scale::mapped(double value) const {
  return spacing_ == Spacing::logarithmic ? std::log10(value) : value;
}

double Scale::operator()(double value) const {
  const double low = mapped(values_.low), high = mapped(values_.high);
  const double part = high > low ? (mapped(value) - low) / (high - low) : 0.5;
  return places_.low + part * (places_.high - places_.low);
}

}  // namespace fedtune::report
