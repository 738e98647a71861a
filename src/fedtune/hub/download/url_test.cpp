#include "fedtune/hub/download/url.h"

#include <gtest/gtest.h>

#include "fedtune/base/error.h"

namespace fedtune::hub {
namespace {

Url url(const std::string& text) {
  return parse_url(text, "test");
}

TEST(HubUrl, TheDefaultPortIsAPort) {
  EXPECT_TRUE(same_origin(url("https://HuggingFace.co/a"), url("https://huggingface.co:443/b")));
  EXPECT_FALSE(same_origin(url("https://huggingface.co"), url("http://huggingface.co")));
  EXPECT_FALSE(same_origin(url("https://huggingface.co"), url("https://huggingface.co:8443")));
  EXPECT_FALSE(same_origin(url("https://huggingface.co"), url("https://cdn.huggingface.co")));
}

TEST(HubUrl, WhatIsNoWebAddressIsRefused) {
  for (const char* text : {"", "huggingface.co", "ftp://host/x", "file:///etc/passwd", "https://"}) {
    EXPECT_THROW(url(text), Error) << text;
  }
}

TEST(HubUrl, LoopbackIsThisMachineAlone) {
  for (const char* text : {"http://localhost:1", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]:80"}) {
    EXPECT_TRUE(is_loopback(url(text))) << text;
  }
  for (const char* text : {"http://127.0.0.1.example", "http://10.0.0.1", "http://localhost.example", "http://[::2]"}) {
    EXPECT_FALSE(is_loopback(url(text))) << text;
  }
}

TEST(HubUrl, ALocationMayBeRelative) {
  EXPECT_EQ(resolve_reference("https://h/a/b", "/c?d=1"), "https://h/c?d=1");
  EXPECT_EQ(resolve_reference("https://h/a/b", "https://cdn/x"), "https://cdn/x");
  EXPECT_EQ(resolve_reference("https://h/a/b", "//cdn/x"), "https://cdn/x");
}

TEST(HubUrl, PathsAreEscapedPartByPart) {
  EXPECT_EQ(escape_path("a b/c#d?e%.txt"), "a%20b/c%23d%3Fe%25.txt");
}

}  // namespace
}  // namespace fedtune::hub
