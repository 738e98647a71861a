// Flower's objects: a message taken apart into pieces that are named by the SHA-256 of their content, so that a piece
// travels once. An object is "<Type> <child,child,...> <length of the body>", a zero byte, the body.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fedtune/fed/payload.h"

namespace fedtune::net::flower {

// A train, evaluate or query message's records: the arrays under their keys, in order, and the configuration's whole
// numbers.
struct Records {
  std::vector<std::pair<std::string, std::string>> arrays{};  // key, .npy stream
  std::map<std::string, std::int64_t> config{};
};

// Puts a message together from its root object. `pull` gives an object's content by its id. Throws Error(input) for
// content that has another hash than its id, or cannot be read, and for arrays of more than `most_bytes` together: an
// array may name one piece any number of times.
Records read_message(const std::string& root, const std::function<std::string(const std::string& id)>& pull,
                     std::size_t most_bytes);

// An object's place among its children.
struct Tree {
  std::string id;
  std::vector<Tree> children{};
};

// A reply taken apart: its root is the Message object.
struct Objects {
  Tree tree{};
  std::map<std::string, std::string> contents{};  // by id
};

// What a reply holds: arrays (none for an evaluation) and metrics.
struct ReplyRecords {
  const NamedTensors* arrays = nullptr;
  std::map<std::string, double> metrics{};
  std::map<std::string, std::int64_t> counts{};  // among the metrics too, as whole numbers
};

// `message` is a serialized Message without message_id and content; `records` is null for an error reply.
Objects write_message(const std::string& message, const ReplyRecords* records);

}  // namespace fedtune::net::flower
