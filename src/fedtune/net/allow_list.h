// Which certificate may speak for which client.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fedtune/base/status.h"

namespace fedtune::net {

// SHA-256 of a PEM certificate's DER form, in hexadecimal: what `openssl x509 -fingerprint -sha256` prints, without its
// colons and in lower case. Empty where `pem` is no certificate.
std::string fingerprint_of(std::string_view pem);

// A text file with a line "RANK FINGERPRINT" for each certificate; # begins a comment. It is read anew at every call,
// so that a certificate is revoked by taking its line out.
class AllowList {
 public:
  // Throws Error(input) naming file and line for a file that cannot be read or understood.
  explicit AllowList(std::filesystem::path file);

  // Whether the holder of the certificate may act as client `rank`. A file that has become unreadable admits nobody.
  Status admits(int rank, std::string_view fingerprint) const;

 private:
  std::filesystem::path file_;
};

}  // namespace fedtune::net
