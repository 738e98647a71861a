// Owners for OpenSSL's objects. Included by the sources of net alone.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "fedtune/base/error.h"

namespace fedtune::net::openssl {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Extension = std::unique_ptr<X509_EXTENSION, Free>;

inline std::vector<unsigned char> der_of(X509& certificate) {
  std::vector<unsigned char> der(static_cast<std::size_t>(std::max(i2d_X509(&certificate, nullptr), 0)));
  unsigned char* end = der.data();
  i2d_X509(&certificate, &end);
  return der;
}

// What `write`, one of PEM_write_bio_*, puts into a BIO. Throws Error(failed) when it does not return 1.
template <typename Write>
std::string pem_of(Write&& write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get()) != 1) throw failed("writing PEM: OpenSSL fails");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace fedtune::net::openssl
