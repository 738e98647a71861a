// What a node of Flower's proves itself by: an ECDSA key that signs the time of each call.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace fedtune::net {

class NodeKey {
 public:
  // A key of its own, on P-384, that nobody knows.
  static NodeKey fresh();
  // A private key in PEM, on any NIST curve. Throws Error(input) for another; OpenSSH's own form is named in the
  // message.
  static NodeKey from_file(const std::string& file);

  ~NodeKey();
  NodeKey(NodeKey&&) noexcept;

  // SubjectPublicKeyInfo in PEM.
  const std::string& public_pem() const { return public_pem_; }
  // ECDSA with SHA-256 over the text, in DER.
  std::string sign(std::string_view text) const;
  // Whether the key will be gone with the process.
  bool is_fresh() const { return fresh_; }

 private:
  struct Impl;
  NodeKey(std::unique_ptr<Impl> impl, bool fresh);

  std::unique_ptr<Impl> impl_;
  std::string public_pem_;
  bool fresh_;
};

}  // namespace fedtune::net
