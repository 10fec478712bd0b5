#include "serve/local-host.h"

#include <gtest/gtest.h>

#include <string>

namespace schemascript {
namespace {

TEST(LocalHost, IsANameThatNoOtherSiteHas) {
  for (const char* host :
       {"", "localhost", "LocalHost:8787", "localhost.", "alice.localhost", "alice.localhost:1",
        "127.0.0.1", "127.0.0.1:8787", "192.168.1.7:80", "[::1]", "[::1]:8787", "[fe80::1]:8787"}) {
    EXPECT_TRUE(isLocalHost(host)) << host;
  }
}

TEST(LocalHost, IsNoNameOfTheNet) {
  for (const char* host :
       {"example.org", "example.org:8787", "localhost.example.org", "notlocalhost",
        ".localhost.org", "127.0.0.1.example.org", "127.0.0.1.example.org:8787", "1270.0.0.1",
        "127.0.0", "[::1", "[localhost]", "[]", "[127.0.0.1]", "::1", "a"}) {
    EXPECT_FALSE(isLocalHost(host)) << host;
  }
  EXPECT_FALSE(isLocalHost(std::string(1000, '1')));
}

TEST(Loopback, IsReachedFromThisMachineOnly) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(isLoopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0", "::", "192.168.1.7", "::2", "1::1", "localhost", ""}) {
    EXPECT_FALSE(isLoopback(address)) << address;
  }
}

}  // namespace
}  // namespace schemascript
