#include "fedtune/net/keys.h"

#include <array>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/secret.h"
#include "fedtune/net/allow_list.h"
#include "fedtune/net/openssl.h"

namespace fedtune::net {
namespace {

namespace fs = std::filesystem;
using openssl::Certificate;
using openssl::Key;

// OpenSSL says 1 for success.
void require(bool good, std::string_view what) {
  if (!good) throw failed("making certificates: {}: {}", what, ERR_error_string(ERR_get_error(), nullptr));
}

Key new_key() {
  Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "a key on P-256");
  return key;
}

// What a certificate says about its holder, and who vouches for it (null: the holder itself).
struct Subject {
  std::string name;
  std::string usage;        // of OpenSSL's extendedKeyUsage; empty: an authority
  std::string names{};      // of OpenSSL's subjectAltName
  EVP_PKEY* key = nullptr;  // the holder's
};
struct Issuer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

void add_extension(X509& certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  const openssl::Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1, value);
}

Certificate certify(const Subject& subject, const Issuer& issuer, int days) {
  Certificate made(X509_new());
  require(made != nullptr && X509_set_version(made.get(), 2) == 1, "a certificate");
  std::uint64_t serial = 0;
  std::memcpy(&serial, random_bytes(sizeof serial).data(), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1U);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -300);  // clocks differ a little
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 86400L * days);
  X509_NAME* const name = X509_get_subject_name(made.get());
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(subject.name.c_str()), -1, -1, 0) == 1,
          subject.name);
  X509* const by = issuer.certificate != nullptr ? issuer.certificate : made.get();
  require(X509_set_issuer_name(made.get(), X509_get_subject_name(by)) == 1, "an issuer");
  require(X509_set_pubkey(made.get(), subject.key) == 1, "a public key");
  const bool authority = subject.usage.empty();
  add_extension(*made, by, NID_basic_constraints, authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  add_extension(*made, by, NID_key_usage, authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!authority) add_extension(*made, by, NID_ext_key_usage, subject.usage);
  if (!subject.names.empty()) add_extension(*made, by, NID_subject_alt_name, subject.names);
  require(X509_sign(made.get(), issuer.key, EVP_sha256()) > 0, "a signature");
  return made;
}

std::string pem_of(X509& certificate) {
  return openssl::pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}

void write_key(const fs::path& file, EVP_PKEY& key) {
  write_file_atomically(file, openssl::pem_of([&](BIO* bio) {
                          return PEM_write_bio_PrivateKey(bio, &key, nullptr, nullptr, 0, nullptr, nullptr);
                        }));
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const std::string& host : hosts) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool is_address =
        inet_pton(AF_INET, host.c_str(), address.data()) == 1 || inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    names += fmt::format(",{}:{}", is_address ? "IP" : "DNS", host);
  }
  return names;
}

}  // namespace

void make_keys(const KeysOptions& options) {
  if (fs::exists(options.folder) && !fs::is_empty(options.folder)) {
    throw usage_error("{}: there are files already; give a folder that is new", options.folder.string());
  }
  fs::create_directories(options.folder);
  fs::permissions(options.folder, fs::perms::owner_all);
  const Key ca_key = new_key();
  const Certificate ca = certify({.name = "fedtune trial authority", .usage = "", .key = ca_key.get()},
                                 {.key = ca_key.get()}, options.days);
  const Issuer issuer{.certificate = ca.get(), .key = ca_key.get()};
  write_file_atomically(options.folder / "ca.pem", pem_of(*ca));

  const auto issue = [&](const std::string& file, Subject subject) {
    const Key key = new_key();
    subject.key = key.get();
    const std::string pem = pem_of(*certify(subject, issuer, options.days));
    write_file_atomically(options.folder / (file + ".pem"), pem);
    write_key(options.folder / (file + ".key"), *key);
    return pem;
  };
  issue("server", {.name = "fedtune server", .usage = "serverAuth", .names = alternative_names(options.hosts)});
  std::string allowed = "# rank and SHA-256 fingerprint of each client's certificate\n";
  for (int rank = 1; rank <= options.clients; ++rank) {
    const std::string pem =
        issue(fmt::format("client-{}", rank), {.name = fmt::format("fedtune client {}", rank), .usage = "clientAuth"});
    allowed += fmt::format("{} {}\n", rank, fingerprint_of(pem));
  }
  write_file_atomically(options.folder / "allow.txt", allowed);
}

}  // namespace fedtune::net
