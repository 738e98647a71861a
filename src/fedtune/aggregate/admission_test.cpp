#include "fedtune/aggregate/admission.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/aggregate/test_tensors.h"

namespace fedtune::aggregate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Layout layout{{"a", DType::f32, {2}}, {"b", DType::f32, {3, 1}}};
constexpr float infinity = std::numeric_limits<float>::infinity();

NamedTensors good() {
  return test_tensors({{"a", {2}, {1, 2}}, {"b", {3, 1}, {3, 4, 5}}});
}

std::string refusal_of(const NamedTensors& tensors, double weight = 1.0) {
  const Status status = check_contribution(layout, {.tensors = tensors, .weight = weight});
  EXPECT_FALSE(status.is_ok());
  return status.reason();
}
std::string refusal_of_weight(double weight) {
  return refusal_of(good(), weight);
}
std::string refusal_of_value(float value) {
  return refusal_of(test_tensors({{"a", {2}, {1, 2}}, {"b", {3, 1}, {3, value, 5}}}));
}

TEST(Admission, AcceptsWhatFitsTheLayout) {
  EXPECT_TRUE(check_contribution(layout, {.tensors = good(), .weight = 54.0}));
}

TEST(Admission, RefusesAnEmptyContribution) {
  EXPECT_THAT(refusal_of({}), HasSubstr("0 tensors, expected 2"));
}

TEST(Admission, RefusesATensorTooMany) {
  EXPECT_THAT(refusal_of(test_tensors({{"a", {2}, {1, 2}}, {"b", {3, 1}, {3, 4, 5}}, {"c", {1}, {1}}})),
              HasSubstr("3 tensors, expected 2"));
}

TEST(Admission, RefusesAnotherName) {
  EXPECT_THAT(refusal_of(test_tensors({{"a", {2}, {1, 2}}, {"x", {3, 1}, {3, 4, 5}}})),
              HasSubstr("found tensor 'x', expected 'b'"));
}

TEST(Admission, RefusesAnotherOrder) {
  EXPECT_THAT(refusal_of(test_tensors({{"b", {3, 1}, {3, 4, 5}}, {"a", {2}, {1, 2}}})),
              HasSubstr("found tensor 'b', expected 'a'"));
}

TEST(Admission, RefusesAnotherType) {
  NamedTensors tensors = good();
  tensors.tensors[0].dtype = DType::i32;
  EXPECT_THAT(refusal_of(tensors), HasSubstr("tensor 'a' is I32, expected F32"));
}

TEST(Admission, RefusesATypeThatCannotBeAveraged) {
  NamedTensors tensors = good();
  tensors.tensors[0].dtype = DType::i32;
  EXPECT_THAT(check_contribution(layout_of(tensors), {.tensors = tensors, .weight = 1.0}).reason(),
              HasSubstr("only F32 can be averaged"));
}

TEST(Admission, RefusesAnotherShape) {
  EXPECT_THAT(refusal_of(test_tensors({{"a", {2}, {1, 2}}, {"b", {1, 3}, {3, 4, 5}}})),
              HasSubstr("tensor 'b' has shape [1, 3], expected [3, 1]"));
}

TEST(Admission, RefusesBytesThatDoNotFillTheShape) {
  NamedTensors tensors = good();
  tensors.tensors[1].bytes = tensors.tensors[1].bytes.first(8);
  EXPECT_THAT(refusal_of(tensors), HasSubstr("tensor 'b' has 8 bytes, expected 12"));
}

TEST(Admission, RefusesNotANumber) {
  EXPECT_THAT(refusal_of_value(std::nanf("")), AllOf(HasSubstr("'b' holds nan at index 1")));
}

TEST(Admission, RefusesInfinity) {
  EXPECT_THAT(refusal_of_value(infinity), HasSubstr("'b' holds inf at index 1"));
  EXPECT_THAT(refusal_of_value(-infinity), HasSubstr("'b' holds -inf at index 1"));
}

TEST(Admission, FindsNotANumberInEveryPlaceOfALongTensor) {
  for (std::size_t place = 0; place < 21; ++place) {
    std::vector<float> values(21, 1.0f);
    values[place] = std::nanf("");
    const NamedTensors tensors = test_tensors({{"w", {21}, values}});
    const Status status = check_contribution(layout_of(tensors), {.tensors = tensors, .weight = 1.0});
    EXPECT_THAT(status.reason(), HasSubstr("at index " + std::to_string(place) + ","));
  }
}

TEST(Admission, RefusesAHugeValue) {
  EXPECT_THAT(refusal_of_value(1e30f), HasSubstr("norm of its values is 1e+30"));
}

TEST(Admission, TheNormCountsAllTensorsTogether) {
  const AdmissionLimits limits{.max_norm = 7.0};  // the norm is sqrt(55)
  EXPECT_FALSE(check_contribution(layout, {.tensors = good(), .weight = 1.0}, limits));
  EXPECT_TRUE(check_contribution(layout, {.tensors = good(), .weight = 1.0}, {.max_norm = 7.5}));
}

TEST(Admission, RefusesWeightZero) {
  EXPECT_THAT(refusal_of_weight(0.0), HasSubstr("expected one above 0"));
}

TEST(Admission, RefusesANegativeWeight) {
  EXPECT_THAT(refusal_of_weight(-3.0), HasSubstr("expected one above 0"));
}

TEST(Admission, RefusesAHugeWeight) {
  EXPECT_THAT(refusal_of_weight(1e300), HasSubstr("expected at most 1e+15"));
}

TEST(Admission, RefusesAWeightThatIsNotFinite) {
  EXPECT_THAT(refusal_of_weight(std::nan("")), HasSubstr("expected a finite number"));
  EXPECT_THAT(refusal_of_weight(infinity), HasSubstr("expected a finite number"));
}

}  // namespace
}  // namespace fedtune::aggregate
