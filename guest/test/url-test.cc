// Which URLs are passed on without being parsed; url.guest.ts holds what is made of them against
// Node.
#include "url.h"

#include <gtest/gtest.h>

namespace schemascript::guest {
namespace {

TEST(NormalUrl, NeedsNoParser) {
  for (const char* const url :
       {"http://localhost/", "http://localhost:8787/users/1?x=y&z=%20", "http://a.b-c.example/@~!$",
        "http://127.0.0.1:8080/", "http://255.1.0.10/a?b?c", "http://x:65535/",
        "https://a.example:80/", "https://a/"}) {
    EXPECT_TRUE(isNormalUrl(url)) << url;
  }
  for (const char* const url : {"http://localhost",
                                "http://LOCALHOST/",
                                "http://localhost:80/",
                                "http://localhost:080/",
                                "http://localhost:65536/",
                                "http://localhost:/",
                                "http://a/../b",
                                "http://a/.",
                                "http://a/%2E",
                                "http://a/%2e%2e/",
                                "http://a/ ",
                                "http://a/\xc3\xa4",
                                "http://a/\"",
                                "http://a/<",
                                "http://a/{",
                                "http://a/x#y",
                                "http://u@a/",
                                "http://a.1/",
                                "http://127.0.0.01/",
                                "http://256.0.0.1/",
                                "http://1.2.3/",
                                "http://[::1]/",
                                "http://xn--a/",
                                "http://.a/",
                                "http://a../",
                                "http://a./",
                                "http:///",
                                "http://:80/",
                                "https://a:443/",
                                "ftp://a/",
                                "http:/a/",
                                "HTTP://a/",
                                "http://a\\b/",
                                "http://a/?'",
                                "http://a/?x=\"",
                                "/",
                                "*",
                                ""}) {
    EXPECT_FALSE(isNormalUrl(url)) << url;
  }
}

}  // namespace
}  // namespace schemascript::guest
