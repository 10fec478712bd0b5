#include "serve/error-page.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <optional>
#include <random>

#include "base/error.h"

namespace schemascript {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1c1c1e; --quiet: #6b6b70; --paper: #ffffff; --sheet: #f4f4f6; --mark: #fff0ef; --red: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --quiet: #9a9aa2; --paper: #17171a; --sheet: #212126; --mark: #3a2022; --red: #ff897d; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem; }
p { margin: 0; color: var(--quiet); }
h1 { margin: .25rem 0 1.5rem; color: var(--red); font-size: 1.4rem; line-height: 1.35; overflow-wrap: anywhere; }
pre { margin: 0 0 1.5rem; padding: 1rem 0; background: var(--sheet); border-radius: .5rem; overflow-x: auto;
  font: 14px/1.6 ui-monospace, monospace; tab-size: 4; }
pre span { display: block; padding: 0 1rem; min-width: max-content; min-height: 1.6em; }
pre .source { background: var(--mark); font-weight: 600; }
pre .caret { background: var(--mark); color: var(--red); }
)css";

// The browser connects anew by itself when the server has ended, and hears of the build then.
constexpr std::string_view kScript = R"js(
const { build } = document.documentElement.dataset;
new EventSource("/__schemascript/events").addEventListener("build", ({ data }) => {
  if (data !== build) location.reload();
});
)js";

// 128 bits that nobody guesses: what an error says cannot make itself a script or a style.
std::string newNonce() {
  std::random_device random;
  std::string nonce;
  for (int count = 0; count < 4; ++count) {
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", static_cast<unsigned>(random()));
    nonce += digits.data();
  }
  return nonce;
}

// Takes the first line from `text`.
std::string_view takeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// `    |      ^`, below the line of a source.
bool isCaret(std::string_view line) {
  return line.ends_with('^') && line.find_first_not_of(" |\t^") == std::string_view::npos;
}

std::string linesOf(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = takeLine(text);
    const std::string_view next = text.substr(0, text.find('\n'));
    const char* const kind = isCaret(line)   ? " class=\"caret\""
                             : isCaret(next) ? " class=\"source\""
                                             : "";
    lines += str("<span", kind, ">", escapedForHtml(line), "</span>");
  }
  return lines;
}

HostAnswer page(const ErrorToShow& error) {
  const std::string nonce = newNonce();
  std::string_view rest = error.text;
  const std::string title = escapedForHtml(takeLine(rest));
  HostAnswer answer{.status = error.status, .contentType = "text/html; charset=utf-8"};
  answer.body = str("<!doctype html>\n<html lang=\"en\" data-build=\"", escapedForHtml(error.build),
                    "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                    "content=\"width=device-width\">\n<title>",
                    title, "</title>\n<style nonce=\"", nonce, "\">", kStyle,
                    "</style>\n</head>\n<body>\n<main>\n<p>", error.status,
                    " · SchemaScript, in development</p>\n<h1>", title, "</h1>\n");
  if (!rest.empty()) answer.body += str("<pre>", linesOf(rest), "</pre>\n");
  answer.body += str("<p>This page loads itself anew when a source file changes.</p>\n</main>\n",
                     "<script nonce=\"", nonce, "\">", kScript, "</script>\n</body>\n</html>\n");
  answer.headers = {
      {"content-security-policy",
       str("default-src 'none'; style-src 'nonce-", nonce, "'; script-src 'nonce-", nonce,
           "'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")},
      {"x-content-type-options", "nosniff"}};
  return answer;
}

HostAnswer document(const ErrorToShow& error) {
  std::string_view rest = error.text;
  const std::string_view message = takeLine(rest);
  const boost::json::value value{
      {"error", {{"message", message}, {"details", rest}, {"status", error.status}}}};
  return {.status = error.status,
          .contentType = "application/json",
          .body = boost::json::serialize(value) + "\n"};
}

enum class AnswerForm : std::uint8_t { Text, Json, Page };

// The first of them that `Accept` names; programs that take anything get text.
AnswerForm formFor(const HttpRequest& request) {
  std::string accepted(request.tryFind("accept").value_or(""));
  std::ranges::transform(accepted, accepted.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t html = accepted.find("text/html");
  const std::size_t json = accepted.find("application/json");
  if (html == json) return AnswerForm::Text;  // Neither.
  return html < json ? AnswerForm::Page : AnswerForm::Json;
}

}  // namespace

std::string escapedForHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const bool isControl =
            (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
        if (isControl) {
          escaped += "\xef\xbf\xbd";
        } else {
          escaped += c;
        }
      }
    }
  }
  return escaped;
}

HostAnswer answerWithError(const HttpRequest& request, const ErrorToShow& error) {
  HostAnswer answer;
  switch (formFor(request)) {
    case AnswerForm::Page:
      answer = page(error);
      break;
    case AnswerForm::Json:
      answer = document(error);
      break;
    case AnswerForm::Text:
      answer = {.status = error.status, .body = std::string(error.text)};
      if (!answer.body.ends_with('\n')) answer.body += '\n';
      break;
  }
  answer.headers.emplace_back("cache-control", "no-store");
  answer.headers.emplace_back("vary", "accept");
  return answer;
}

}  // namespace schemascript
