#include "fedtune/aggregate/lane_loops.h"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "fedtune/aggregate/lane_sum.h"

namespace fedtune::aggregate {
namespace {

std::vector<float> some(std::size_t count, float step) {
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = std::sin(step * static_cast<float>(i)) * 1.7f;
  return x;
}

struct Results {
  std::array<double, lanes + 1> squares{}, differences{}, products{};
  std::vector<double> scaled;
  bool operator==(const Results&) const = default;
};

// Of 1,003 values.
Results results_of(const LaneLoops& loops) {
  const std::vector<float> x = some(1003, 0.7f), y = some(1003, 1.3f), z = some(1003, 2.1f);
  Results results{.scaled = std::vector<double>(1003, 0.25)};
  loops.squares(1003, x.data(), results.squares.data());
  loops.squared_differences(1003, x.data(), y.data(), results.differences.data());
  loops.products_of_differences(1003, x.data(), y.data(), z.data(), results.products.data());
  loops.add_scaled(1003, x.data(), 0.3, results.scaled.data());
  return results;
}

TEST(LaneLoops, AddInOneOrderWhateverTheWidthOfVectors) {
  const std::vector<float> x = some(1003, 0.7f), y = some(1003, 1.3f), z = some(1003, 2.1f);
  Results expected{.scaled = std::vector<double>(1003, 0.25)};
  for (std::size_t i = 0; i < 1003; ++i) {
    const std::size_t lane = i < 1000 ? i % lanes : lanes;
    const double now = x[i], then = y[i], mean = z[i];
    expected.squares[lane] += now * now;
    expected.differences[lane] += (now - then) * (now - then);
    expected.products[lane] += (now - then) * (mean - then);
  }
  for (std::size_t i = 0; i < 1003; ++i) expected.scaled[i] += 0.3 * double{x[i]};
  for (const LaneLoops* const loops : available_lane_loops()) EXPECT_EQ(results_of(*loops), expected);
}

TEST(LaneSum, TakesWhatIsLeftOfTheLastPiece) {
  const std::vector<float> x = some(21, 0.7f), y(21, 0.0f);
  LaneSum squares, differences, products, whole;
  squares.add_squares(16, x.data());
  squares.add_squares(5, x.data() + 16);
  whole.add_squares(21, x.data());
  differences.add_squared_differences(21, x.data(), y.data());
  products.add_products_of_differences(21, x.data(), y.data(), x.data());
  EXPECT_EQ(squares.total(), whole.total());
  EXPECT_EQ(differences.total(), whole.total());
  EXPECT_EQ(products.total(), whole.total());
}

}  // namespace
}  // namespace fedtune::aggregate
