// Pages about texts that try to be more than text.
#include "serve/error-page.h"

#include <algorithm>
#include <boost/json.hpp>
#include <random>

#include "base/testing.h"
#include "bridge/text.h"
#include "serve/live-reload.h"

namespace schemascript {
namespace {

namespace json = boost::json;

constexpr std::string_view kAttack =
    "</script><script>alert(1)</script><img src=x onerror='alert(1)'>\"&'</pre></style>";

Problem problemWith(std::string_view text) {
  const std::string all(text);
  SourcePlace place{.file = all,
                    .line = 2,
                    .column = 3,
                    .firstLine = 1,
                    .lines = {all, all, all},
                    .caretBytes = 2};
  return {.headline = all, .place = place, .frames = {all, all}, .advice = all};
}

ErrorPage pageWith(std::string_view text) {
  ErrorPage page{.title = std::string(text), .subtitle = std::string(text)};
  page.problems.push_back(problemWith(text));
  page.problems.front().errors.push_back(problemWith(text));
  page.problems.front().causes.push_back(problemWith(text));
  page.build = text;
  return page;
}

std::size_t countOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos;
       at += part.size()) {
    ++count;
  }
  return count;
}

// The names of its tags, in order, read as a browser's tokenizer does in text: `<` and a letter,
// `/` or `!` begin one, which ends at the first `>` outside of quotes.
std::vector<std::string> tagsOf(std::string_view html) {
  std::vector<std::string> tags;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string_view::npos;) {
    char quote = 0;
    std::size_t end = at + 1;
    for (; end < html.size() && (quote != 0 || html[end] != '>'); ++end) {
      if (quote == 0 && (html[end] == '"' || html[end] == '\'')) {
        quote = html[end];
      } else if (html[end] == quote) {
        quote = 0;
      }
    }
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    tags.emplace_back(tag.substr(0, tag.find(' ')));
    at = end;
    // What is in these is no markup.
    if (tags.back() == "script") at = html.find("</script>", at);
    if (tags.back() == "style") at = html.find("</style>", at);
  }
  return tags;
}

TEST(ErrorPage, KeepsTextsTexts) {
  // Whatever the texts are, the page has the same tags.
  const std::vector<std::string> usual = tagsOf(renderHtml(pageWith("harmless"), "n"));
  EXPECT_GT(usual.size(), 30u);
  EXPECT_EQ(tagsOf(renderHtml(pageWith(kAttack), "n")), usual);
  const std::string html = renderHtml(pageWith(kAttack), "n");
  EXPECT_EQ(countOf(html, "<script"), 1u);
  EXPECT_EQ(countOf(html, "</script>"), 1u);
  EXPECT_EQ(countOf(html, "</style>"), 1u);
  EXPECT_EQ(countOf(html, "<img"), 0u);
  EXPECT_NE(html.find("&lt;/script&gt;&lt;script&gt;alert(1)"), std::string::npos);
}

TEST(ErrorPage, KeepsTextsTextsWhateverTheyAre) {
  const std::vector<std::string> usual = tagsOf(renderHtml(pageWith("harmless"), "n"));
  std::mt19937 random(seedOr(20'261'123));
  constexpr std::array<std::string_view, 16> kPieces{
      "<",  ">",    "\"",   "'",    "&",    "&#39",     "--><!--",   "</script>",
      "\0", "\xff", "\xc2", "\x9b", "\r\n", "\xc2\x85", "<![CDATA[", "]]>"};
  for (int round = 0; round < 500; ++round) {
    std::string text = ".";
    for (std::size_t i = random() % 12; i > 0; --i) {
      text += random() % 3 == 0 ? std::string(1, static_cast<char>(random()))
                                : std::string(kPieces[random() % kPieces.size()]);
    }
    const std::string html = renderHtml(pageWith(text), "n");
    ASSERT_EQ(tagsOf(html), usual) << text;
    ASSERT_TRUE(isUtf8(html)) << text;
    ASSERT_TRUE(std::ranges::none_of(html, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte == 0x7f || (byte < 0x20 && c != '\n' && c != '\t');
    })) << text;
    const json::value parsed = json::parse(renderJson(pageWith(text)));
    ASSERT_TRUE(parsed.at("error").at("message").is_string());
    ASSERT_TRUE(isUtf8(renderText(pageWith(text))));
  }
}

TEST(ErrorPage, GivesTheNonceToItsOwnStyleAndScriptAlone) {
  const std::string html = renderHtml(pageWith("nonce=\"n0\""), "n0");
  EXPECT_EQ(countOf(html, "nonce=\"n0\""), 2u);
  EXPECT_EQ(countOf(html, " style="), 0u);
  EXPECT_EQ(countOf(html, "http:"), 0u);
  EXPECT_EQ(countOf(html, "https:"), 0u);
  EXPECT_EQ(countOf(html, "src="), 0u);
}

TEST(ErrorPage, CutsWhatIsTooLong) {
  ErrorPage page = pageWith(std::string(5'000'000, '<'));
  EXPECT_LT(renderHtml(page, "n").size(), 1'000'000u);
  EXPECT_LT(renderJson(page).size(), 200'000u);
  EXPECT_LT(renderText(page).size(), 200'000u);

  Problem deep{.headline = "deep"};
  for (int i = 0; i < 10'000; ++i) {
    Problem outer{.headline = "deep"};
    outer.causes.push_back(std::move(deep));
    deep = std::move(outer);
  }
  page.problems.assign(1'000, Problem{.headline = "wide", .frames = {1'000, "at f"}});
  page.problems.front() = std::move(deep);
  EXPECT_LT(renderHtml(page, "n").size(), 200'000u);
  EXPECT_LT(renderJson(page).size(), 200'000u);
  EXPECT_NE(renderHtml(page, "n").find("And 980 more."), std::string::npos);
}

TEST(ErrorPage, CutsBetweenCharacters) {
  for (std::size_t i = 0; i < 4; ++i) {
    std::string text(i, 'x');
    while (text.size() < 20'000) text += "\xf0\x9f\x98\x80";
    EXPECT_TRUE(isUtf8(renderHtml(pageWith(text), "n")));
  }
}

TEST(ErrorPage, MarksThePlaceInItsLine) {
  Problem problem{.headline = "x"};
  problem.place = SourcePlace{.file = "app.ts",
                              .line = 8,
                              .column = 3,
                              .firstLine = 7,
                              .lines = {"one", "a \xe2\x82\xac<b>", "three"},
                              .caretBytes = 2};
  const std::string html = renderHtml({.title = "t", .problems = {problem}}, "n");
  EXPECT_NE(html.find("<span class=\"line meant\"><span class=\"number\">8</span>"
                      "a <mark>\xe2\x82\xac</mark>&lt;b&gt;\n</span>"),
            std::string::npos)
      << html;
  EXPECT_EQ(countOf(html, "class=\"line\""), 2u);
  EXPECT_NE(html.find("app.ts:8:3"), std::string::npos);

  // Behind the end of the line, beyond it, and in the middle of a character.
  for (const std::size_t caret : {9u, 1'000u, 3u}) {
    problem.place->caretBytes = caret;
    const std::string marked = renderHtml({.title = "t", .problems = {problem}}, "n");
    EXPECT_EQ(countOf(marked, "<mark>"), 1u);
    EXPECT_TRUE(isUtf8(marked));
  }
  problem.place->lines.clear();
  EXPECT_NE(renderText({.title = "t", .problems = {problem}}).find("app.ts:8:3\n"),
            std::string::npos);
}

TEST(ErrorPage, SaysTheSameAsJsonAndAsText) {
  Problem problem{.headline = "TypeError: x", .frames = {"at f (app.ts:2:1)"}, .advice = "do"};
  problem.place = SourcePlace{
      .file = "app.ts", .line = 2, .column = 1, .firstLine = 1, .lines = {"one", "two"}};
  problem.causes.push_back({.headline = "the cause"});
  const ErrorPage page{.title = "It failed", .problems = {problem, {.headline = "second"}}};
  EXPECT_EQ(json::parse(renderJson(page)), json::parse(R"json({"error":{
      "title":"It failed","message":"TypeError: x","file":"app.ts","line":2,"column":1,
      "source":"two","advice":"do","stack":["at f (app.ts:2:1)"],
      "causes":[{"message":"the cause"}],"others":[{"message":"second"}]}})json"));
  EXPECT_EQ(renderText(page),
            "It failed\n\nTypeError: x\napp.ts:2:1\n  1 | one\n> 2 | two\ndo\n"
            "    at f (app.ts:2:1)\ncaused by: the cause\n\nsecond\n");
}

TEST(ErrorPage, ShowsThePlaceOfTheCauseWhereThereIsNoOther) {
  Problem problem{.headline = "outer"};
  problem.causes.push_back(
      {.headline = "inner", .place = SourcePlace{.file = "deep.ts", .line = 4}});
  EXPECT_NE(renderHtml({.title = "t", .problems = {problem}}, "n").find("deep.ts:4:0"),
            std::string::npos);
}

TEST(ErrorPage, IsWhatTheClientWantsToRead) {
  constexpr std::string_view kBrowser =
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
  EXPECT_EQ(formFor(kBrowser), AnswerForm::Html);
  EXPECT_EQ(formFor(""), AnswerForm::Text);
  EXPECT_EQ(formFor("*/*"), AnswerForm::Text);
  EXPECT_EQ(formFor("text/*"), AnswerForm::Text);
  EXPECT_EQ(formFor("application/json"), AnswerForm::Json);
  EXPECT_EQ(formFor("application/json, text/plain, */*"), AnswerForm::Json);
  EXPECT_EQ(formFor("APPLICATION/JSON ; charset=utf-8"), AnswerForm::Json);
  EXPECT_EQ(formFor("application/problem+json"), AnswerForm::Json);
  EXPECT_EQ(formFor("application/json;q=0.5, text/html"), AnswerForm::Html);
  EXPECT_EQ(formFor("text/html;q=0.5, application/json"), AnswerForm::Json);
  EXPECT_EQ(formFor("text/html;q=0, application/json;q=0.001"), AnswerForm::Json);
  EXPECT_EQ(formFor("text/html;level=1;Q=0.000"), AnswerForm::Text);
  EXPECT_EQ(formFor("text/html;q=zero"), AnswerForm::Html);
  EXPECT_EQ(formFor(",;,; q=,/,text/plain"), AnswerForm::Text);
  EXPECT_EQ(formFor("text/html;q=0.99999999999999999999999999999"), AnswerForm::Html);
}

TEST(ErrorPage, ComesWithAPolicyThatAllowsNothingElse) {
  const HttpRequest request{.method = "GET",
                            .target = "/",
                            .path = "/",
                            .host = "localhost",
                            .headers = {{"Accept", "text/html"}}};
  const HostAnswer answer = errorAnswer(request, pageWith("x"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.contentType, "text/html; charset=utf-8");
  const auto found = std::ranges::find(answer.headers, "content-security-policy",
                                       &std::pair<std::string, std::string>::first);
  ASSERT_NE(found, answer.headers.end());
  EXPECT_TRUE(found->second.starts_with("default-src 'none'; script-src 'nonce-"));
  EXPECT_EQ(found->second.find("unsafe"), std::string::npos);
  const std::size_t at = found->second.find("'nonce-") + 7;
  const std::string nonce = found->second.substr(at, found->second.find('\'', at) - at);
  EXPECT_GE(nonce.size(), 20u);
  EXPECT_EQ(countOf(answer.body, str("nonce=\"", nonce, '"')), 2u);
  EXPECT_NE(errorAnswer(request, pageWith("x")).body, answer.body);  // Another nonce.
}

TEST(ErrorPage, IsNotLoadedAgainWhereThatWouldSendAForm) {
  ErrorPage page = pageWith("x");
  EXPECT_NE(renderHtml(page, "n").find("data-repeatable=\"yes\""), std::string::npos);
  page.isRepeatable = false;
  EXPECT_NE(renderHtml(page, "n").find("data-repeatable=\"no\""), std::string::npos);
}

}  // namespace
}  // namespace schemascript
