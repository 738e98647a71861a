#include "fedtune/nn/onednn.h"

#include <optional>
#include <string_view>

#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace fedtune::nn::onednn {
namespace {

using Linear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                          c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
using Pack = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);

struct Operators {
  c10::TypedOperatorHandle<Linear> linear;
  c10::TypedOperatorHandle<Pack> pack;
};

// Nothing where an operator is missing or has another signature.
std::optional<Operators> find() {
  const auto linear = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  const auto pack = c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""});
  if (!linear || !pack) return std::nullopt;
  try {
    return Operators{linear->typed<Linear>(), pack->typed<Pack>()};
  } catch (const c10::Error&) {
    return std::nullopt;
  }
}

const std::optional<Operators>& operators() {
  static const std::optional<Operators> found = find();
  return found;
}

}  // namespace

bool available() {
  return operators().has_value();
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const std::optional<at::Tensor> add = bias.defined() ? std::optional(bias) : std::nullopt;
  return operators()->linear.call(x, w, add, "none", c10::List<std::optional<at::Scalar>>(), "");
}

at::Tensor pack(const at::Tensor& w) {
  const std::optional<c10::SymInt> any_rows;
  return operators()->pack.call(w, any_rows);
}

}  // namespace fedtune::nn::onednn
