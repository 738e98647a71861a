#include "fedtune/base/sha256.h"

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256_hex(std::string_view("abc")), abc);
  EXPECT_EQ(sha256_hex(std::string_view("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(std::string_view("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  EXPECT_EQ(Sha256().update("a").update("").update("bc").hex(), abc);
}

TEST(Sha256, OfAMissingFileIsAnInputError) {
  try {
    sha256_of_file("/nonexistent/file");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

}  // namespace
}  // namespace fedtune
