#include "serve/error-page.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <random>

#include "base/error.h"
#include "bridge/text.h"
#include "serve/live-reload.h"

namespace schemascript {
namespace {

namespace json = boost::json;

constexpr std::size_t kTextBytesMax = 8'192;  // Of one message.
constexpr std::size_t kLineBytesMax = 512;    // Of a line of source, and of a frame.
constexpr std::size_t kProblemsMax = 20;
constexpr std::size_t kPartsMax = 10;
constexpr std::size_t kFramesMax = 50;
constexpr int kDepthMax = 8;  // Of causes, and of errors in errors.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kCut = "\xe2\x80\xa6";

bool isControl(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

// `text` as UTF-8 without control characters, at most so long.
std::string clean(std::string_view text, std::size_t bytesMax) {
  std::string result;
  result.reserve(std::min(text.size(), bytesMax) + kCut.size());
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (result.size() + std::max(taken, kReplacement.size()) > bytesMax) {
      result += kCut;
      break;
    }
    // U+0080 to U+009F are controls, too.
    const bool isUpper =
        length == 2 && text[0] == '\xc2' && static_cast<signed char>(text[1]) < -96;
    const bool isBad = length == 0 || isUpper || (length == 1 && isControl(text.front()));
    result += isBad ? kReplacement : text.substr(0, taken);
    text.remove_prefix(taken);
  }
  return result;
}

// Of UTF-8, for text and for attribute values between quotes.
std::string escaped(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string message(std::string_view text) { return escaped(clean(text, kTextBytesMax)); }
std::string line(std::string_view text) { return escaped(clean(text, kLineBytesMax)); }

std::string positionOf(const SourcePlace& place) {
  return str(clean(place.file, kLineBytesMax), ':', place.line, ':', place.column);
}

// Its own place, or else that of its first cause that has one.
const SourcePlace* tryFindPlace(const Problem& problem, int depth = 0) noexcept {
  if (problem.place) return &*problem.place;
  if (problem.causes.empty() || depth == kDepthMax) return nullptr;
  return tryFindPlace(problem.causes.front(), depth + 1);
}

// The line that is meant, with the character at the column marked.
std::string markedLine(const std::string& text, std::size_t caretBytes) {
  const std::size_t begin = std::min(caretBytes, text.size());
  const std::string_view rest = std::string_view(text).substr(begin);
  const std::size_t size = rest.empty() ? 0 : std::max<std::size_t>(characterLength(rest), 1);
  return str(line(text.substr(0, begin)), "<mark>", size == 0 ? " " : line(rest.substr(0, size)),
             "</mark>", line(rest.substr(size)));
}

std::string sourceHtml(const SourcePlace& place) {
  std::string html = str("<figure><figcaption>", escaped(positionOf(place)), "</figcaption>");
  if (!place.lines.empty()) {
    html += "<pre>";
    for (std::size_t i = 0; i < place.lines.size(); ++i) {
      const std::uint32_t number = place.firstLine + static_cast<std::uint32_t>(i);
      const bool isMeant = number == place.line;
      html += str("<span class=\"line", isMeant ? " meant" : "", "\"><span class=\"number\">",
                  number, "</span>",
                  isMeant ? markedLine(place.lines[i], place.caretBytes) : line(place.lines[i]),
                  "\n</span>");
    }
    html += "</pre>";
  }
  return html + "</figure>";
}

enum class Part : std::uint8_t { Whole, Inner };

std::string problemHtml(const Problem& problem, Part part, int depth) {
  std::string html = str("<p class=\"headline\">", message(problem.headline), "</p>");
  if (part == Part::Whole) {
    if (const SourcePlace* const place = tryFindPlace(problem)) html += sourceHtml(*place);
  }
  if (!problem.advice.empty()) {
    html += str("<p class=\"advice\">", message(problem.advice), "</p>");
  }
  if (!problem.frames.empty()) {
    html += "<ol class=\"stack\">";
    for (std::size_t i = 0; i < std::min(problem.frames.size(), kFramesMax); ++i) {
      html += str("<li>", line(problem.frames[i]), "</li>");
    }
    html += "</ol>";
  }
  if (depth == kDepthMax) return html;
  const auto add = [&html, depth](const std::vector<Problem>& parts, std::string_view title) {
    for (std::size_t i = 0; i < std::min(parts.size(), kPartsMax); ++i) {
      html += str("<section class=\"part\"><h2>", title, "</h2>",
                  problemHtml(parts[i], Part::Inner, depth + 1), "</section>");
    }
  };
  add(problem.errors, "One of its errors");
  add(problem.causes, "Caused by");
  return html;
}

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ground:#fff;--text:#1c1e21;--quiet:#62676e;--line:#e2e4e8;--panel:#f6f7f8;--bad:#b3261e;--meant:#fdecea;--mark:#f7b9b3}
@media (prefers-color-scheme:dark){:root{--ground:#17181a;--text:#e6e7e9;--quiet:#9aa0a8;--line:#34373b;--panel:#1f2123;--bad:#ff8a80;--meant:#3b2322;--mark:#8c3a34}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem}
h1{margin:0;font-size:1.25rem;color:var(--bad)}
h2{margin:0;font-size:.875rem;color:var(--quiet)}
p{margin:.25rem 0;overflow-wrap:anywhere;unicode-bidi:isolate}
.subtitle,.status{color:var(--quiet);font-size:.875rem}
.problem{margin-top:1.75rem}
.headline{font:600 1rem/1.5 ui-monospace,monospace;white-space:pre-wrap}
.advice{white-space:pre-wrap}
.part{margin:1rem 0 0 .25rem;padding-left:1rem;border-left:2px solid var(--line)}
figure{margin:.75rem 0;border:1px solid var(--line);border-radius:6px;overflow:hidden}
figcaption{padding:.375rem .875rem;background:var(--panel);border-bottom:1px solid var(--line);font:.8125rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
pre{margin:0;padding:.5rem 0;overflow-x:auto;font:.875rem/1.6 ui-monospace,monospace;tab-size:2}
.line{display:block;min-width:max-content;padding-right:.875rem;unicode-bidi:isolate}
.meant{background:var(--meant)}
.number{display:inline-block;width:4rem;padding-right:1rem;text-align:right;color:var(--quiet);user-select:none}
mark{background:var(--mark);color:inherit;border-radius:2px}
.stack{margin:.5rem 0;padding:0;list-style:none;color:var(--quiet);font:.8125rem/1.6 ui-monospace,monospace;overflow-wrap:anywhere}
.status{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--line)}
)css";

// Who came by a form sees that there is something new, and decides.
constexpr std::string_view kScript = R"js(
const { build, events: path, repeatable } = document.body.dataset;
const status = document.querySelector(".status");
const usual = status.textContent;
const events = new EventSource(`${path}?build=${encodeURIComponent(build)}`);
events.addEventListener("reload", () => {
  if (repeatable === "yes") return location.reload();
  events.close();
  status.textContent = "The app has been built anew. Send the request again.";
});
events.addEventListener("open", () => { status.textContent = usual; });
events.addEventListener("error", () => { status.textContent = "The server is not there. This page waits for it."; });
)js";

void appendPlaceJson(json::object& object, const SourcePlace& place) {
  object["file"] = clean(place.file, kLineBytesMax);
  object["line"] = place.line;
  object["column"] = place.column;
  if (place.line >= place.firstLine && place.line - place.firstLine < place.lines.size()) {
    object["source"] = clean(place.lines[place.line - place.firstLine], kLineBytesMax);
  }
}

json::object problemJson(const Problem& problem, int depth) {
  json::object object;
  object["message"] = clean(problem.headline, kTextBytesMax);
  if (problem.place) appendPlaceJson(object, *problem.place);
  if (!problem.advice.empty()) object["advice"] = clean(problem.advice, kTextBytesMax);
  if (!problem.frames.empty()) {
    json::array& stack = object["stack"].emplace_array();
    for (std::size_t i = 0; i < std::min(problem.frames.size(), kFramesMax); ++i) {
      stack.push_back(json::string(clean(problem.frames[i], kLineBytesMax)));
    }
  }
  if (depth == kDepthMax) return object;
  const auto add = [&object, depth](const std::vector<Problem>& parts, std::string_view name) {
    if (parts.empty()) return;
    json::array& array = object[name].emplace_array();
    for (std::size_t i = 0; i < std::min(parts.size(), kPartsMax); ++i) {
      array.push_back(problemJson(parts[i], depth + 1));
    }
  };
  add(problem.errors, "errors");
  add(problem.causes, "causes");
  return object;
}

std::string problemText(const Problem& problem, Part part, int depth) {
  std::string text = clean(problem.headline, kTextBytesMax) + '\n';
  const SourcePlace* const place = part == Part::Whole ? tryFindPlace(problem) : nullptr;
  if (place != nullptr) text += positionOf(*place) + '\n';
  for (std::size_t i = 0; place != nullptr && i < place->lines.size(); ++i) {
    const std::uint32_t number = place->firstLine + static_cast<std::uint32_t>(i);
    text += str(number == place->line ? "> " : "  ", number, " | ",
                clean(place->lines[i], kLineBytesMax), '\n');
  }
  if (!problem.advice.empty()) text += clean(problem.advice, kTextBytesMax) + '\n';
  for (std::size_t i = 0; i < std::min(problem.frames.size(), kFramesMax); ++i) {
    text += str("    ", clean(problem.frames[i], kLineBytesMax), '\n');
  }
  if (depth == kDepthMax) return text;
  for (std::size_t i = 0; i < std::min(problem.errors.size(), kPartsMax); ++i) {
    text += str('[', i, "] ", problemText(problem.errors[i], Part::Inner, depth + 1));
  }
  for (const Problem& cause : problem.causes) {
    text += str("caused by: ", problemText(cause, Part::Inner, depth + 1));
  }
  return text;
}

// 128 random bits of the system's.
std::string newNonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 8> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), random(), 16).ptr;
    nonce.append(digits.data(), end);
    nonce += i < 3 ? "-" : "";
  }
  return nonce;
}

std::string policyFor(std::string_view nonce) {
  return str("default-src 'none'; script-src 'nonce-", nonce, "'; style-src 'nonce-", nonce,
             "'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'self'");
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What stands before the next `separator`, which is taken off `text` with it.
std::string_view takeUntil(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

bool isSameWord(std::string_view one, std::string_view other) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

// In thousandths (RFC 9110, 12.4.2); what is none counts as 1.
int qualityOf(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::string_view parameter = takeUntil(parameters, ';');
    if (parameter.size() < 3 || !isSameWord(parameter.substr(0, 2), "q=")) continue;
    int quality = 0;
    int unit = 1'000;
    for (const char c : parameter.substr(2)) {
      if (c == '.') continue;
      if (c < '0' || c > '9') return 1'000;
      quality += (c - '0') * unit;
      unit /= 10;
    }
    return std::min(quality, 1'000);
  }
  return 1'000;
}

}  // namespace

AnswerForm formFor(std::string_view accept) noexcept {
  int html = 0;
  int json = 0;
  int text = 0;
  while (!accept.empty()) {
    std::string_view range = takeUntil(accept, ',');
    const std::string_view type = takeUntil(range, ';');
    const int quality = qualityOf(range);
    if (isSameWord(type, "text/html") || isSameWord(type, "application/xhtml+xml")) {
      html = std::max(html, quality);
    } else if (isSameWord(type, "application/json") || type.ends_with("+json")) {
      json = std::max(json, quality);
    } else if (isSameWord(type, "text/plain")) {
      text = std::max(text, quality);
    }
  }
  if (html > 0 && html >= json && html >= text) return AnswerForm::Html;
  return json > 0 && json >= text ? AnswerForm::Json : AnswerForm::Text;
}

std::string renderHtml(const ErrorPage& page, std::string_view nonce) {
  std::string problems;
  for (std::size_t i = 0; i < std::min(page.problems.size(), kProblemsMax); ++i) {
    problems += str("<section class=\"problem\">", problemHtml(page.problems[i], Part::Whole, 0),
                    "</section>");
  }
  if (page.problems.size() > kProblemsMax) {
    problems += str("<p>And ", page.problems.size() - kProblemsMax, " more.</p>");
  }
  return str(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>",
      message(page.title), "</title><link rel=\"icon\" href=\"data:,\"><style nonce=\"",
      escaped(nonce), "\">", kStyle, "</style></head><body data-build=\"", line(page.build),
      "\" data-events=\"", kEventsPath, "\" data-repeatable=\"", page.isRepeatable ? "yes" : "no",
      "\"><main><h1>", message(page.title), "</h1><p class=\"subtitle\">", line(page.subtitle),
      "</p>", problems, "<p class=\"status\" role=\"status\">",
      page.isRepeatable ? "This page loads itself again when the app has been built anew."
                        : "When the app has been built anew, this page says so.",
      "</p></main><script nonce=\"", escaped(nonce), "\">", kScript, "</script></body></html>\n");
}

std::string renderJson(const ErrorPage& page) {
  json::object error;
  error["title"] = clean(page.title, kTextBytesMax);
  if (!page.problems.empty()) {
    for (auto& member : problemJson(page.problems.front(), 0)) {
      error[member.key()] = std::move(member.value());
    }
  }
  if (page.problems.size() > 1) {
    json::array& others = error["others"].emplace_array();
    for (std::size_t i = 1; i < std::min(page.problems.size(), kProblemsMax); ++i) {
      others.push_back(problemJson(page.problems[i], 0));
    }
  }
  json::object whole;
  whole["error"] = std::move(error);
  return json::serialize(whole) + '\n';
}

std::string renderText(const ErrorPage& page) {
  std::string text = clean(page.title, kTextBytesMax) + '\n';
  for (std::size_t i = 0; i < std::min(page.problems.size(), kProblemsMax); ++i) {
    text += '\n' + problemText(page.problems[i], Part::Whole, 0);
  }
  return text;
}

HostAnswer errorAnswer(const HttpRequest& request, const ErrorPage& page) {
  HostAnswer answer{.status = page.status};
  answer.headers = {
      {"cache-control", "no-store"}, {"vary", "accept"}, {"x-content-type-options", "nosniff"}};
  switch (formFor(request.tryFind("accept").value_or(""))) {
    case AnswerForm::Html: {
      const std::string nonce = newNonce();
      answer.contentType = "text/html; charset=utf-8";
      answer.headers.emplace_back("content-security-policy", policyFor(nonce));
      answer.headers.emplace_back("referrer-policy", "no-referrer");
      answer.body = renderHtml(page, nonce);
      break;
    }
    case AnswerForm::Json:
      answer.contentType = "application/json";
      answer.body = renderJson(page);
      break;
    case AnswerForm::Text:
      answer.body = renderText(page);
      break;
  }
  return answer;
}

}  // namespace schemascript
