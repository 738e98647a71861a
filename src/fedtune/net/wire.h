// Between the contract of proto/ and the types of fed. Included by the sources of net alone.
#pragma once

#include <grpcpp/support/status.h>

#include "fedtune/fed/board.h"
#include "fedtune/fed/types.h"
#include "fedtune/v1/federation.pb.h"

namespace fedtune::net::wire {

constexpr std::uint32_t protocol = 2;
constexpr int largest_message = 4 << 20;  // bytes, either way: any client may send parts of up to this size

inline void write_layout(const Layout& layout, v1::EnrolReply& reply) {
  for (const TensorSpec& spec : layout) {
    v1::TensorSpec& written = *reply.add_layout();
    written.set_name(spec.name);
    written.set_dtype(std::string(dtype_name(spec.dtype)));
    for (const std::int64_t extent : spec.shape) written.add_shape(extent);
  }
}

// Throws Error(network) for a type that does not exist.
Layout read_layout(const v1::EnrolReply& reply);

inline fed::Seat seat_from(const v1::Seat& seat) {
  return {.rank = static_cast<int>(seat.rank()), .session = seat.session()};
}
inline void write_seat(const fed::Seat& seat, v1::Seat& written) {
  written.set_rank(static_cast<std::uint32_t>(seat.rank));
  written.set_session(seat.session);
}

inline void write_report(const fed::ClientReport& report, v1::Report& written) {
  written.set_sentences(report.sentences);
  written.set_batches(report.batches);
  written.set_tokens(report.tokens);
  written.set_loss(report.loss);
  written.set_seconds(report.seconds);
}
inline fed::ClientReport report_from(const v1::Report& report) {
  return {.sentences = report.sentences(),
          .batches = report.batches(),
          .tokens = report.tokens(),
          .loss = report.loss(),
          .seconds = report.seconds()};
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// gRPC logs what it also reports as errors; with the variable GRPC_VERBOSITY it still does.
void quiet_grpc();

grpc::Status status_from(const fed::Rejected& rejected);

}  // namespace fedtune::net::wire
