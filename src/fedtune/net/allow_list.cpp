#include "fedtune/net/allow_list.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/sha256.h"
#include "fedtune/net/openssl.h"

namespace fedtune::net {
namespace {

using Fingerprints = std::map<int, std::set<std::string>>;  // by rank

bool is_fingerprint(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Fingerprints read(const std::filesystem::path& file) {
  Fingerprints allowed;
  std::istringstream lines(read_file(file));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string rank_text, fingerprint, more;
    if (!(words >> rank_text)) continue;
    int rank = 0;
    const auto [end, error] = std::from_chars(rank_text.data(), rank_text.data() + rank_text.size(), rank);
    const bool is_rank = error == std::errc{} && end == rank_text.data() + rank_text.size() && rank >= 1;
    if (!is_rank || !(words >> fingerprint) || !is_fingerprint(fingerprint) || words >> more) {
      throw input_error(
          "{}:{}: expected a client's rank and a SHA-256 fingerprint of 64 hexadecimal digits, found '{}'",
          file.string(), number, line);
    }
    allowed[rank].insert(fingerprint);
  }
  return allowed;
}

}  // namespace

std::string fingerprint_of(std::string_view pem) {
  const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const openssl::Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return {};
  const std::vector<unsigned char> der = openssl::der_of(*certificate);
  Sha256 hash;
  hash.update(std::string_view(reinterpret_cast<const char*>(der.data()), der.size()));
  return hash.hex();
}

AllowList::AllowList(std::filesystem::path file) : file_(std::move(file)) {
  read(file_);
}

Status AllowList::admits(int rank, std::string_view fingerprint) const {
  try {
    const Fingerprints allowed = read(file_);
    const auto found = allowed.find(rank);
    if (!fingerprint.empty() && found != allowed.end() && found->second.contains(std::string(fingerprint))) {
      return Status::ok();
    }
    return Status::refused(fmt::format("the certificate with fingerprint {} may not act as client {}",
                                       fingerprint.empty() ? "(none)" : fingerprint, rank));
  } catch (const Error& error) {
    return Status::refused(error.what());
  }
}

}  // namespace fedtune::net
