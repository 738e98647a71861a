// A message of a SuperLink as a tree of objects. Each part is the content of an object; "@3" in it stands for the id of
// the part 3, which is a hash that no chance would hit. The last part is the root.
#include <map>

#include "support.h"

#include "fedtune/base/sha256.h"
#include "fedtune/format/npy.h"
#include "fedtune/net/flower_objects.h"

namespace {

// The content with the ids of earlier objects in their places.
std::string with_ids(std::string_view content, const std::vector<std::string>& ids) {
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const std::size_t place = i + 1 < content.size() ? static_cast<std::size_t>(content[i + 1] - '0') : ids.size();
    if (content[i] == '@' && place < ids.size()) {
      text += ids[place];
      ++i;
    } else {
      text += content[i];
    }
  }
  return text;
}

// The head's length put right where it ends in the one that the content had before the ids were filled in.
std::string with_length(std::string content, std::size_t before) {
  const std::size_t end = content.find('\0');
  const std::size_t blank = content.substr(0, end).rfind(' ');
  if (end == std::string::npos || blank == std::string::npos) return content;
  const std::string body_before = std::to_string(before);
  if (content.substr(blank + 1, end - blank - 1) != body_before) return content;
  return content.substr(0, blank + 1) + std::to_string(content.size() - end - 1) + content.substr(end);
}

}  // namespace

FEDTUNE_FUZZ_TARGET(fleet_objects) {
  using namespace fedtune;
  std::vector<std::string> ids;
  std::map<std::string, std::string> contents;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    const std::size_t body = part.content.size() - std::min(part.content.find('\0'), part.content.size() - 1) - 1;
    std::string content = with_length(with_ids(part.content, ids), body);
    ids.push_back(sha256_hex(content));
    contents[ids.back()] = std::move(content);
  }
  if (ids.empty()) return 0;
  constexpr std::size_t most_bytes = 4096;
  const auto records = fuzz::accepted([&] {
    return net::flower::read_message(
        ids.back(),
        [&](const std::string& id) {
          const auto found = contents.find(id);
          if (found == contents.end()) throw input_error("there is no object {}", id);
          return found->second;
        },
        most_bytes);
  });
  if (!records) return 0;
  std::size_t bytes = 0;
  for (const auto& array : records->arrays) {
    const std::string& npy = array.second;
    bytes += npy.size();
    fuzz::accepted([&] { return npy_view(std::as_bytes(std::span(npy))); });
  }
  fuzz::require(bytes <= most_bytes, "arrays are no larger than was allowed");
  return 0;
}
