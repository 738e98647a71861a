#include "fedtune/hub/download/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HubAnswer, HasTheFieldsOfTheLastHead) {
  std::map<std::string, std::string> headers;
  for (const char* line : {"HTTP/1.1 100 Continue\r\n", "X-Old: 1\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                           "ETag:  \"abc\" \r\n", "Empty:\r\n", "no field\r\n", "\r\n"}) {
    take_header_line(line, headers);
  }
  EXPECT_THAT(headers, ElementsAre(Pair("empty", ""), Pair("etag", "\"abc\"")));
}

TEST(HubAnswer, NamesAFileByTheHashOfItsContent) {
  EXPECT_EQ(etag_in({.headers = {{"etag", "W/\"abc\""}}}), "abc");
  EXPECT_EQ(etag_in({.headers = {{"etag", "\"abc\""}, {"x-linked-etag", "\"def\""}}}), "def");
  EXPECT_EQ(etag_in({}), "");
}

TEST(HubAnswer, HasASizeThatIsAWholeNumber) {
  EXPECT_EQ(size_in("17"), 17);
  for (const char* other : {"", "-5", "1.5", "0x1", "9223372036854775808", "1 "})
    EXPECT_EQ(size_in(other), -1) << other;
}

TEST(HubAnswer, ListsTheFilesOfACommit) {
  const std::string commit(40, 'a');
  const Listing listing = listing_in(R"({"sha":")" + commit + R"(","siblings":[{"rfilename":"config.json"}]})", "url");
  EXPECT_EQ(listing.commit, commit);
  EXPECT_THAT(listing.files, ElementsAre("config.json"));
  EXPECT_THROW(listing_in(R"({"sha":"main","siblings":[]})", "url"), Error);
  EXPECT_THROW(listing_in("<html>", "url"), Error);
}

}  // namespace
}  // namespace fedtune::hub
