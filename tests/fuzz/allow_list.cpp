// The list of certificates that may act as clients. Parts: `list` the file, `certificate` one in PEM.
#include "fedtune/net/allow_list.h"

#include "support.h"

FEDTUNE_FUZZ_TARGET(allow_list) {
  using namespace fedtune;
  static const fuzz::Scratch scratch;
  for (const fuzz::Part& part : fuzz::parts_of(fuzz::text_of(data, size))) {
    if (part.name == "list") {
      const auto file = scratch.write("allowed", part.content);
      const auto list = fuzz::accepted([&] { return net::AllowList(file); });
      if (list) fuzz::require(!list->admits(1, ""), "who has no certificate is not let in");
    }
    if (part.name == "certificate") {
      const std::string fingerprint = net::fingerprint_of(part.content);
      fuzz::require(fingerprint.empty() || fingerprint.size() == 64, "a fingerprint has 64 digits");
    }
  }
  return 0;
}
