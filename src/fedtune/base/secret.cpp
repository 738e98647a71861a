#include "fedtune/base/secret.h"

#include <openssl/rand.h>

#include "fedtune/base/error.h"

namespace fedtune {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw failed("drawing random bytes: OpenSSL's generator has failed");
  }
  return bytes;
}

}  // namespace fedtune
