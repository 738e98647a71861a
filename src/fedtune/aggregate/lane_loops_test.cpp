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
  using Sums = std::array<double, lanes + 1>;
  Sums squares{}, whole{}, change{}, change_again{}, product{};
  std::vector<double> scaled;
  bool operator==(const Results&) const = default;
};

// Of 1,003 values.
Results results_of(const LaneLoops& loops) {
  const std::vector<float> x = some(1003, 0.7f), y = some(1003, 1.3f), z = some(1003, 2.1f);
  Results results{.scaled = std::vector<double>(1003, 0.25)};
  loops.squares(1003, x.data(), results.squares.data());
  loops.lengths(1003, x.data(), y.data(), results.whole.data(), results.change.data());
  loops.angle(1003, x.data(), y.data(), z.data(), results.change_again.data(), results.product.data());
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
    expected.change[lane] += (now - then) * (now - then);
    expected.product[lane] += (now - then) * (mean - then);
  }
  expected.whole = expected.squares;
  expected.change_again = expected.change;
  for (std::size_t i = 0; i < 1003; ++i) expected.scaled[i] += 0.3 * double{x[i]};
  for (const LaneLoops* const loops : available_lane_loops()) EXPECT_EQ(results_of(*loops), expected);
}

TEST(LaneSum, TakesWhatIsLeftOfTheLastPiece) {
  const std::vector<float> x = some(21, 0.7f), y(21, 0.0f);
  LaneSum in_pieces, whole, change, change_again, product;
  add_squares(16, x.data(), in_pieces);
  add_squares(5, x.data() + 16, in_pieces);
  add_lengths(21, x.data(), y.data(), whole, change);
  add_angle(21, x.data(), y.data(), x.data(), change_again, product);
  for (const LaneSum& sum : {whole, change, change_again, product}) EXPECT_EQ(sum.total(), in_pieces.total());
}

}  // namespace
}  // namespace fedtune::aggregate
