// Messages of a server of ours as its client handles them: what it enrols for, then an instruction, part by part.
#include "wire_layout.h"

#include "fedtune/net/instruction.h"
#include "fedtune/net/parts.h"
#include "fedtune/net/wire.h"

FEDTUNE_FUZZ_TARGET(client_messages) {
  using namespace fedtune;
  Layout layout = fuzz::wire_layout();
  net::IncomingInstruction instruction(std::make_shared<fed::Bytes>(), fed::payload_size(layout));
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    if (part.name == "enrol") {
      v1::EnrolReply reply;
      if (!net::wire::read_message(fuzz::buffer_of(part.content), reply)) return 0;
      const auto announced = fuzz::accepted([&] { return net::wire::read_layout(reply); });
      if (announced) fuzz::accepted([&] { return fed::payload_size(*announced); });
      // A client goes on only where what is federated has the form of its own model's tensors.
    }
    if (part.name == "part" && !instruction.take(fuzz::buffer_of(part.content))) break;
    fuzz::require(instruction.payload()->size() <= fed::payload_size(layout), "no more arrives than there is room for");
  }
  if (!instruction.is_whole()) return 0;
  const NamedTensors tensors = fed::tensors_in(layout, std::shared_ptr<const fed::Bytes>(instruction.payload()));
  fuzz::require(layout_of(tensors) == layout, "an instruction is the layout's tensors");
  return 0;
}
