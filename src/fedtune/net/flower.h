// Between Flower's Join messages and the types of fed. Included by the sources of net alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flwr/proto/transport.pb.h"

#include "fedtune/fed/payload.h"

namespace fedtune::net::flower {

namespace proto = ::flwr::proto;

// The tensors as a bare list of arrays, in order.
void write_parameters(const NamedTensors& tensors, proto::Parameters& written);

// The array in a .npy stream, which it views, under the name expected. Throws Error(input) naming it by `label` when it
// is of another type or shape, or no array.
TensorView array_from(const std::string& npy, std::string_view label, const TensorSpec& expected);

// The arrays as the payload of `layout`. Throws Error(input) when they are not as many, not of the layout's types or
// not of its shapes.
std::shared_ptr<const fed::Bytes> payload_from(const proto::Parameters& parameters, const Layout& layout);

// What a client answers to being asked to train.
struct Contribution {
  std::shared_ptr<const fed::Bytes> payload{};
  std::int64_t examples = 0;
};
// Throws Error(input) where it is no such answer, with the client's own words where it says why, and as payload_from.
Contribution contribution_in(const proto::ClientMessage& message, const Layout& layout);

// The round that an instruction's configuration names; 0 where it names none.
int round_in(const google::protobuf::Map<std::string, proto::Scalar>& config);

}  // namespace fedtune::net::flower
