// A message of a client of Flower's, which was asked to train, as the server handles it.
#include "wire_layout.h"

#include "fedtune/net/flower.h"

FEDTUNE_FUZZ_TARGET(join_server) {
  using namespace fedtune;
  net::flower::proto::ClientMessage message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return 0;
  fuzz::OneClient client;
  try {
    const net::flower::Contribution sent = net::flower::contribution_in(message, fuzz::wire_layout());
    client.board.append(client.seat, client.nonce, 0, *sent.payload);
    client.board.complete(
        client.seat, client.nonce,
        {.round = 1, .weight = static_cast<double>(sent.examples), .report = {.sentences = sent.examples}});
  } catch (const Error& error) {
    client.board.decline(client.seat, client.nonce, error.what());
  }
  client.take_deliveries();
  return 0;
}
