#include "fedtune/hub/download/checksum.h"

#include <array>
#include <memory>

#include <openssl/evp.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/sha256.h"

namespace fedtune::hub {
namespace {

// SHA-1 over "blob SIZE\0" and the content.
std::string git_sha1(const std::filesystem::path& file) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  const auto mapped = MappedFile::open(file);
  const std::string head = fmt::format("blob {}", mapped->bytes().size());
  std::array<unsigned char, 20> digest{};
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1) != 1 ||
      EVP_DigestUpdate(context.get(), mapped->bytes().data(), mapped->bytes().size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    throw failed("SHA-1: OpenSSL could not compute a digest");
  }
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

ChecksumKind checksum_kind(const std::string& etag) {
  if (etag.find_first_not_of("0123456789abcdef") != std::string::npos) return ChecksumKind::none;
  if (etag.size() == 64) return ChecksumKind::sha256;
  return etag.size() == 40 ? ChecksumKind::git_sha1 : ChecksumKind::none;
}

bool is_content_of(const std::filesystem::path& file, const std::string& etag) {
  switch (checksum_kind(etag)) {
    case ChecksumKind::sha256:
      return sha256_of_file(file) == etag;
    case ChecksumKind::git_sha1:
      return git_sha1(file) == etag;
    case ChecksumKind::none:
      break;
  }
  return true;
}

}  // namespace fedtune::hub
