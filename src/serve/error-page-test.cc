#include "serve/error-page.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "base/error.h"

namespace schemascript {
namespace {

HostAnswer answerTo(std::string_view accept, std::string_view text, std::string_view build = "1") {
  HttpRequest request;
  if (!accept.empty()) request.headers.push_back({"Accept", accept});
  return answerWithError(request, {.status = 500, .text = text, .build = build});
}

std::string headerOf(const HostAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kBrowser =
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

TEST(ErrorPage, ComesInTheFormThatIsPreferred) {
  const std::string text = "Uncaught Error: no\n  3 | throw\n    | ^\n";
  for (const std::string_view accept : {"", "*/*", "text/plain", "image/png"}) {
    const HostAnswer answer = answerTo(accept, text);
    EXPECT_EQ(answer.contentType, "text/plain; charset=utf-8") << accept;
    EXPECT_EQ(answer.body, text);
    EXPECT_EQ(headerOf(answer, "cache-control"), "no-store");
  }
  const HostAnswer json = answerTo("application/json, text/html", text);
  EXPECT_EQ(json.contentType, "application/json");
  const boost::json::value parsed = boost::json::parse(json.body);
  EXPECT_EQ(parsed.at("error").at("message"), "Uncaught Error: no");
  EXPECT_EQ(parsed.at("error").at("details"), "  3 | throw\n    | ^\n");
  for (const std::string_view accept :
       {kBrowser, std::string_view("TEXT/HTML"), std::string_view("text/html, application/json")}) {
    const HostAnswer page = answerTo(accept, text);
    EXPECT_EQ(page.status, 500);
    EXPECT_EQ(page.contentType, "text/html; charset=utf-8") << accept;
    EXPECT_TRUE(has(page.body, "<h1>Uncaught Error: no</h1>")) << page.body;
    EXPECT_TRUE(has(page.body, "<span class=\"source\">  3 | throw</span>")) << page.body;
    EXPECT_TRUE(has(page.body, "<span class=\"caret\">    | ^</span>")) << page.body;
  }
}

TEST(ErrorPage, TakesNothingForMarkup) {
  const std::string evil =
      "</title><script>alert(1)</script>\n</pre><img src=x onerror='alert(1)'>\n"
      "\"onload=\"alert(1)\n<!-- ]]> -->\n&lt;b&gt;\n\x01\x1b[31m\x7f";
  const HostAnswer page = answerTo(kBrowser, evil, "\"><script>alert(2)</script>");
  EXPECT_FALSE(has(page.body, "<script>alert"));
  EXPECT_FALSE(has(page.body, "<img"));
  EXPECT_FALSE(has(page.body, "<!--"));
  EXPECT_FALSE(has(page.body, "data-build=\"\""));
  EXPECT_TRUE(has(page.body, "&amp;lt;b&amp;gt;"));
  EXPECT_TRUE(has(page.body, "\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd"));
}

TEST(ErrorPage, LetsNothingRunButItsOwnScript) {
  const HostAnswer one = answerTo(kBrowser, "a");
  const HostAnswer other = answerTo(kBrowser, "a");
  const std::string policy = headerOf(one, "content-security-policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; ")) << policy;
  EXPECT_FALSE(has(policy, "unsafe"));
  const auto at = policy.find("script-src 'nonce-");
  ASSERT_NE(at, std::string::npos);
  const std::string nonce = policy.substr(at + 18, 32);
  EXPECT_TRUE(has(one.body, str("<script nonce=\"", nonce, "\">")));
  EXPECT_FALSE(has(other.body, nonce));
}

TEST(ErrorPage, TakesAnyText) {
  for (const std::string_view text : {"", "\n", "a", "a\n\n\nb", "^", "^\n^\n^", "\xff\xfe"}) {
    EXPECT_TRUE(has(answerTo(kBrowser, text).body, "</html>"));
    EXPECT_FALSE(answerTo("application/json", text).body.empty());
  }
}

}  // namespace
}  // namespace schemascript
