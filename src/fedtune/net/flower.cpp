#include "fedtune/net/flower.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "fedtune/base/error.h"
#include "fedtune/format/npy.h"
#include "fedtune/net/wire.h"

namespace fedtune::net::flower {

void write_parameters(const NamedTensors& tensors, proto::Parameters& written) {
  written.set_tensor_type("numpy.ndarray");
  for (const TensorView& tensor : tensors.tensors) written.add_tensors(npy_from(tensor));
}

TensorView array_from(const std::string& npy, std::string_view label, const TensorSpec& expected) {
  TensorView array =
      with_context(fmt::format("array {} ({})", label, expected.name), [&] { return npy_view(wire::bytes_of(npy)); });
  if (array.dtype != expected.dtype || array.shape != expected.shape) {
    throw input_error("array {} is {} of {}, expected {}, {} of {}", label, shape_text(array.shape),
                      dtype_name(array.dtype), expected.name, shape_text(expected.shape), dtype_name(expected.dtype));
  }
  return array;
}

std::shared_ptr<const fed::Bytes> payload_from(const proto::Parameters& parameters, const Layout& layout) {
  if (static_cast<std::size_t>(parameters.tensors_size()) != layout.size()) {
    throw input_error("{} arrays were sent, expected {}, from {} to {}", parameters.tensors_size(), layout.size(),
                      layout.front().name, layout.back().name);
  }
  NamedTensors tensors;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    tensors.tensors.push_back(array_from(parameters.tensors(static_cast<int>(i)), std::to_string(i + 1), layout[i]));
  }
  return fed::copy_of(fed::Payload(std::move(tensors)));
}

Contribution contribution_in(const proto::ClientMessage& message, const Layout& layout) {
  if (!message.has_fit_res()) throw input_error("it did not answer what it was asked");
  const auto& result = message.fit_res();
  if (result.status().code() != proto::OK) throw input_error("{}", result.status().message());
  return {.payload = payload_from(result.parameters(), layout), .examples = result.num_examples()};
}

int round_in(const google::protobuf::Map<std::string, proto::Scalar>& config) {
  constexpr std::array<std::string_view, 4> names{"server_round", "server-round", "current_round", "round"};
  for (const std::string_view name : names) {
    const auto found = config.find(std::string(name));
    if (found == config.end()) continue;
    const proto::Scalar& value = found->second;
    if (value.scalar_case() == proto::Scalar::kSint64) return static_cast<int>(value.sint64());
    if (value.scalar_case() == proto::Scalar::kUint64) return static_cast<int>(value.uint64());
  }
  return 0;
}

}  // namespace fedtune::net::flower
