#include "fedtune/net/node_key.h"

#include <utility>

#include <openssl/ec.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/net/openssl.h"

namespace fedtune::net {

struct NodeKey::Impl {
  openssl::Key key;
};

NodeKey::NodeKey(std::unique_ptr<Impl> impl, bool fresh)
    : impl_(std::move(impl)),
      public_pem_(openssl::pem_of([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, impl_->key.get()); })),
      fresh_(fresh) {}
NodeKey::~NodeKey() = default;
NodeKey::NodeKey(NodeKey&&) noexcept = default;

NodeKey NodeKey::fresh() {
  openssl::Key key(EVP_EC_gen("P-384"));
  if (!key) throw failed("a node's key: OpenSSL makes none");
  return {std::make_unique<Impl>(Impl{std::move(key)}), true};
}

NodeKey NodeKey::from_file(const std::string& file) {
  const std::string text = read_file(file);
  const openssl::Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  openssl::Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) {
    throw input_error(
        "{}: not an ECDSA private key in PEM{}; make one with: ssh-keygen -t ecdsa -b 384 -m PEM -N '' -f FILE", file,
        text.find("OPENSSH") != std::string::npos ? ", but in OpenSSH's own form" : "");
  }
  return {std::make_unique<Impl>(Impl{std::move(key)}), false};
}

std::string NodeKey::sign(std::string_view text) const {
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  bool good = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, data, text.size()) == 1;
  std::string signature(size, '\0');
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                                text.size()) == 1;
  if (!good) throw failed("signing a call: OpenSSL fails");
  signature.resize(size);
  return signature;
}

}  // namespace fedtune::net
