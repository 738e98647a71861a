// What the targets of the wires federate: two small tensors.
#pragma once

#include <array>
#include <cstring>

#include "support.h"
#include <grpcpp/support/byte_buffer.h>

#include "fedtune/aggregate/admission.h"
#include "fedtune/fed/board.h"
#include "fedtune/fed/record_json.h"

namespace fedtune::fuzz {

inline Layout wire_layout() {
  return {{.name = "w", .dtype = DType::f32, .shape = {3}}, {.name = "b", .dtype = DType::f32, .shape = {1}}};
}

inline std::shared_ptr<const fed::Payload> wire_tensors() {
  static const std::array<float, 4> values{1, 2, 3, 0.5F};
  const auto bytes = std::as_bytes(std::span(values));
  const Layout layout = wire_layout();
  return std::make_shared<const fed::Payload>(
      NamedTensors{.tensors = {{.name = "w", .shape = layout[0].shape, .bytes = bytes.first(12)},
                               {.name = "b", .shape = layout[1].shape, .bytes = bytes.subspan(12)}}});
}

// A message as gRPC hands it over: in two slices where it is long enough, since fields may lie across them.
inline grpc::ByteBuffer buffer_of(std::string_view message) {
  const std::size_t cut = message.size() / 2;
  const std::array<grpc::Slice, 2> slices{grpc::Slice(message.data(), cut),
                                          grpc::Slice(message.data() + cut, message.size() - cut)};
  return {slices.data(), slices.size()};
}

// A board with one client, which is asked to train in round 1.
struct OneClient {
  fed::Board board{{.clients = 1, .layout = wire_layout(), .spill = {.in_memory = 1 << 20}}};
  fed::Seat seat{.rank = 1, .session = board.enrol(1)};
  std::string nonce{};

  OneClient() {
    board.open(1, wire_tensors(), std::array{1});
    board.await(seat, [this](const fed::Answer& answer) { nonce = std::get<fed::Errand>(answer).nonce; });
  }

  // What has arrived, as the engine takes it: checked, and kept in the record of the round.
  void take_deliveries() {
    fed::RoundRecord record{.round = 1, .cohort = {1}};
    while (auto delivery = board.next({})) {
      if (const auto* update = std::get_if<fed::Update>(&*delivery)) {
        const Status status =
            aggregate::check_contribution(wire_layout(), {.tensors = update->tensors, .weight = update->weight}, {});
        if (!status) record.refused.push_back({.rank = update->rank, .reason = status.reason()});
      } else if (const auto* declined = std::get_if<fed::Declined>(&*delivery)) {
        record.refused.push_back({.rank = declined->rank, .reason = declined->reason});
      } else {
        require(false, "nothing that a client sends fails the run");
      }
    }
    require(record.refused.size() <= 1, "a client answers once in a round");
    fed::to_json(record).dump();
  }
};

}  // namespace fedtune::fuzz
