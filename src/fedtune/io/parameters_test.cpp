#include "fedtune/io/parameters.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "fedtune/base/error.h"

namespace fedtune::io {
namespace {

using testing::HasSubstr;

NamedTensors values(const std::string& name, const at::Tensor& tensor) {
  return named_tensors_from({{name, tensor}});
}

TEST(Parameters, ComeBackAsTheyWentIn) {
  const at::Tensor tensor = at::rand({3, 2});
  const Parameters back = parameters_from(values("a", tensor));
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].name, "a");
  EXPECT_TRUE(at::equal(back[0].tensor, tensor));
}

TEST(Parameters, AreViewedWithoutACopy) {
  const at::Tensor tensor = at::rand({3, 2});
  EXPECT_EQ(parameters_from(values("a", tensor))[0].tensor.const_data_ptr(), tensor.const_data_ptr());
}

TEST(Parameters, KeepTheirMemoryAlive) {
  Parameters back;
  {
    const NamedTensors views = values("a", at::full({1000}, 3.0f));
    back = parameters_from(views);
  }
  EXPECT_TRUE(at::equal(back[0].tensor, at::full({1000}, 3.0f)));
}

TEST(Parameters, ThatAreTransposedAreSavedRowByRow) {
  const at::Tensor tensor = at::rand({3, 2});
  EXPECT_TRUE(at::equal(parameters_from(values("a", tensor.t()))[0].tensor, tensor.t().contiguous()));
}

TEST(Parameters, OfOtherFloatingTypesBecomeFp32) {
  for (const auto type : {at::kDouble, at::kHalf, at::kBFloat16}) {
    const at::Tensor tensor = at::full({4}, 0.5).to(type);
    const at::Tensor back = parameters_from(values("a", tensor))[0].tensor;
    EXPECT_EQ(back.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(back, at::full({4}, 0.5f)));
  }
}

TEST(Parameters, OfIntegersStayIntegers) {
  EXPECT_EQ(parameters_from(values("a", at::arange(5)))[0].tensor.scalar_type(), at::kLong);
}

TEST(Parameters, AtAnOddAddressAreCopied) {
  std::vector<std::byte> bytes(9);
  const TensorView view{.name = "a", .dtype = DType::f32, .shape = {2}, .bytes = std::span(bytes).subspan(1)};
  const at::Tensor tensor = tensor_from(view, std::make_shared<int>(0));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % 4, 0u);
  EXPECT_TRUE(at::equal(tensor, at::zeros({2})));
}

TEST(Parameters, MayBeEmpty) {
  EXPECT_EQ(parameters_from(values("a", at::empty({0, 4})))[0].tensor.numel(), 0);
}

TEST(Assign, CopiesValues) {
  const at::Tensor target = at::zeros({2}).requires_grad_(true);
  assign({{"a", target}}, values("a", at::ones({2})));
  EXPECT_TRUE(at::equal(target, at::ones({2})));
}

// The message with which values for "a" [2] are refused.
std::string refusal(const NamedTensors& found) {
  try {
    assign({{"a", at::zeros({2})}}, found);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    return error.what();
  }
  return "accepted";
}

TEST(Assign, RefusesAnotherName) {
  EXPECT_THAT(refusal(values("b", at::ones({2}))), HasSubstr("b [2], expected a [2]"));
}

TEST(Assign, RefusesAnotherShape) {
  EXPECT_THAT(refusal(values("a", at::ones({3}))), HasSubstr("a [3], expected a [2]"));
}

TEST(Assign, RefusesAnotherNumberOfValues) {
  EXPECT_THAT(refusal({}), HasSubstr("0 values for 1 parameters"));
}

}  // namespace
}  // namespace fedtune::io
