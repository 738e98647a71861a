// Messages of a client of ours, in the order of the parts, as the server's calls handle them. A session or nonce of
// sixteen zeros stands for the one that is right, which nobody can guess.
#include <optional>

#include "wire_layout.h"

#include "fedtune/net/contribution.h"
#include "fedtune/net/parts.h"
#include "fedtune/net/wire.h"

namespace {

using namespace fedtune;

class Calls {
 public:
  void take(const fuzz::Part& part) {
    try {
      if (part.name == "enrol") enrol(part.content);
      if (part.name == "next") next(part.content);
      if (part.name == "header") header(part.content);
      if (part.name == "payload" && sent_) sent_->take_payload(fuzz::buffer_of(part.content));
      if (part.name == "complete") complete();
      if (part.name == "decline") decline(part.content);
    } catch (const fed::Rejected& rejected) {
      sent_.reset();  // which ends the call
      static_cast<void>(net::wire::status_from(rejected));
    }
  }
  void finish() { client_.take_deliveries(); }

 private:
  void put_right(v1::Seat& seat, std::string& nonce) const {
    static const std::string unknown(16, '\0');
    if (seat.session() == unknown) seat.set_session(client_.seat.session);
    if (nonce == unknown) nonce = client_.nonce;
  }

  void enrol(std::string_view content) {
    v1::EnrolRequest request;
    if (!net::wire::read_message(fuzz::buffer_of(content), request)) return;
    client_.seat.session = client_.board.enrol(static_cast<int>(request.rank()));
  }
  void next(std::string_view content) {
    v1::NextRequest request;
    if (!net::wire::read_message(fuzz::buffer_of(content), request)) return;
    put_right(*request.mutable_seat(), *request.mutable_nonce());
    client_.board.forget(client_.board.await(net::wire::seat_from(request.seat()), [](const fed::Answer&) {}));
  }
  void header(std::string_view content) {
    std::string message(content);
    v1::ContributionPart part;
    if (part.ParseFromString(message) && part.has_header()) {
      put_right(*part.mutable_header()->mutable_seat(), *part.mutable_header()->mutable_nonce());
      message = part.SerializeAsString();
    }
    sent_.emplace(client_.board);
    sent_->take_header(fuzz::buffer_of(message));
    fuzz::require(sent_->begin() <= fed::payload_size(fuzz::wire_layout()), "no more has arrived than was asked for");
  }
  void complete() {
    if (sent_) sent_->complete();
    sent_.reset();
  }
  void decline(std::string_view content) {
    v1::DeclineRequest request;
    if (!net::wire::read_message(fuzz::buffer_of(content), request)) return;
    put_right(*request.mutable_seat(), *request.mutable_nonce());
    client_.board.decline(net::wire::seat_from(request.seat()), request.nonce(), request.reason());
  }

  fuzz::OneClient client_;
  std::optional<net::IncomingContribution> sent_;
};

}  // namespace

FEDTUNE_FUZZ_TARGET(server_messages) {
  Calls calls;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) calls.take(part);
  calls.finish();
  return 0;
}
