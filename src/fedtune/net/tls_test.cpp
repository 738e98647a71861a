#include "fedtune/net/tls.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"
#include "fedtune/base/file.h"
#include "fedtune/base/temporary_folder.h"
#include "fedtune/fed/toy_federation.h"
#include "fedtune/net/allow_list.h"
#include "fedtune/net/client.h"
#include "fedtune/net/keys.h"

namespace fedtune::net {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Tls, KnowsWhichAddressesAreThisMachineAlone) {
  for (const char* address : {"127.0.0.1:80", "127.3.2.1:0", "localhost:1", "[::1]:8080"}) {
    EXPECT_TRUE(is_loopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0:80", "10.0.0.1:80", "[::]:80", "example.org:1"}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

TEST(Tls, RefusesPlaintextOffThisMachineUnlessItIsSaid) {
  EXPECT_THAT(refusal_of([] { server_credentials({}, "0.0.0.0:1"); }), HasSubstr("nothing would be encrypted"));
  EXPECT_THAT(refusal_of([] { client_credentials({}, "example.org:1"); }), HasSubstr("give --tls-ca"));
  EXPECT_EQ(refusal_of([] { server_credentials({.insecure = true}, "0.0.0.0:1"); }), "accepted");
  EXPECT_EQ(refusal_of([] { client_credentials({.insecure = true}, "example.org:1"); }), "accepted");
  EXPECT_EQ(refusal_of([] { server_credentials({}, "127.0.0.1:1"); }), "accepted");
}

TEST(Tls, RefusesHalfASetOfFiles) {
  EXPECT_THAT(refusal_of([] { server_credentials({.cert = "a"}, "127.0.0.1:1"); }), HasSubstr("--tls-key is missing"));
  EXPECT_THAT(refusal_of([] { client_credentials({.key = "a"}, "127.0.0.1:1"); }), HasSubstr("--tls-cert is missing"));
  EXPECT_THAT(refusal_of([] { server_credentials({.ca = "a"}, "127.0.0.1:1"); }),
              HasSubstr("--tls-cert and --tls-key"));
  EXPECT_THAT(refusal_of([] { client_credentials({.cert = "a", .key = "b"}, "127.0.0.1:1"); }), HasSubstr("--tls-ca"));
  EXPECT_THAT(refusal_of([] { server_credentials({.cert = "a", .key = "b", .allow = "c"}, "127.0.0.1:1"); }),
              HasSubstr("--tls-allow"));
}

class Certified : public ::testing::Test {
 protected:
  void SetUp() override {
    make_keys({.folder = keys, .clients = 2});
    make_keys({.folder = others, .clients = 2});
  }

  TlsOptions server_tls() const {
    return {
        .ca = keys / "ca.pem", .cert = keys / "server.pem", .key = keys / "server.key", .allow = keys / "allow.txt"};
  }
  TlsOptions client_tls(int rank) const { return client_tls(keys, rank); }
  static TlsOptions client_tls(const std::filesystem::path& folder, int rank) {
    const std::string name = fmt::format("client-{}", rank);
    return {.ca = folder / "ca.pem", .cert = folder / (name + ".pem"), .key = folder / (name + ".key")};
  }
  // What enrolling as `rank` with these files comes to.
  static std::string enrol(const Server& server, int rank, const TlsOptions& tls) {
    return refusal_of([&] {
      Client({.server = fmt::format("127.0.0.1:{}", server.port()), .rank = rank, .tls = tls, .give_up = 0.2}).enrol();
    });
  }
  std::unique_ptr<Server> serve(const TlsOptions& tls) const {
    return std::make_unique<Server>(ServerOptions{.address = "127.0.0.1:0", .tls = tls, .clients = 2},
                                    Announcement{.run = "toy", .layout = fed::ToyStrategy().layout()});
  }

  TemporaryFolder folder;
  std::filesystem::path keys = folder.path() / "keys", others = folder.path() / "others";
};

TEST_F(Certified, AdmitsEachClientByItsOwnCertificate) {
  const auto server = serve(server_tls());
  EXPECT_EQ(enrol(*server, 1, client_tls(1)), "accepted");
  EXPECT_EQ(enrol(*server, 2, client_tls(2)), "accepted");
}

TEST_F(Certified, RefusesWhoeverIsSomeoneElse) {
  const auto server = serve(server_tls());
  EXPECT_THAT(enrol(*server, 2, client_tls(1)), HasSubstr("may not act as client 2"));
  EXPECT_THAT(enrol(*server, 1, client_tls(others, 1)), HasSubstr("was not reached"));  // TLS lets neither pass
  EXPECT_THAT(enrol(*server, 1, {.ca = keys / "ca.pem"}), HasSubstr("was not reached"));
  EXPECT_THAT(enrol(*server, 1, {}), HasSubstr("was not reached"));  // plaintext
}

TEST_F(Certified, RefusesACertificateOfAnotherAuthorityUnderTheRightName) {
  TlsOptions forged = client_tls(others, 1);
  forged.ca = keys / "ca.pem";
  const auto server = serve(server_tls());
  EXPECT_THAT(enrol(*server, 1, forged), HasSubstr("was not reached"));
}

TEST_F(Certified, RefusesARevokedCertificateWithoutARestart) {
  const auto server = serve(server_tls());
  EXPECT_EQ(enrol(*server, 1, client_tls(1)), "accepted");
  std::ofstream(keys / "allow.txt") << "# nobody\n";
  EXPECT_THAT(enrol(*server, 1, client_tls(1)), HasSubstr("may not act as client 1"));
}

TEST_F(Certified, AdmitsAnyoneTheAuthorityVouchesForWithoutAList) {
  TlsOptions tls = server_tls();
  tls.allow.clear();
  const auto server = serve(tls);
  EXPECT_EQ(enrol(*server, 2, client_tls(1)), "accepted");
}

TEST_F(Certified, AsksNoCertificateOfClientsWithoutAnAuthority) {
  TlsOptions tls = server_tls();
  tls.allow.clear();
  tls.ca.clear();
  const auto server = serve(tls);
  EXPECT_EQ(enrol(*server, 2, {.ca = keys / "ca.pem"}), "accepted");
  EXPECT_THAT(enrol(*server, 2, {.ca = others / "ca.pem"}), HasSubstr("was not reached"));  // another server's
}

TEST_F(Certified, KeepsKeysToTheirOwner) {
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(keys / "client-1.key").permissions(), perms::owner_read | perms::owner_write);
  EXPECT_THAT(refusal_of([&] { make_keys({.folder = keys}); }), HasSubstr("there are files already"));
}

TEST_F(Certified, NamesTheLineOfAListThatCannotBeUnderstood) {
  std::ofstream(keys / "allow.txt") << "# fine\n1 " << std::string(64, 'a') << "\n2 abc\n";
  EXPECT_THAT(refusal_of([&] { serve(server_tls()); }), HasSubstr("allow.txt:3: expected a client's rank"));
}

}  // namespace
}  // namespace fedtune::net
