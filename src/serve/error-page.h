// What a development server shows in place of an answer that there is none of: what went wrong, and
// where in the sources.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/problem.h"
#include "serve/service.h"

namespace schemascript {

// The texts may hold anything: they come from the app, its clients, and files.
struct ErrorPage {
  int status = 500;
  std::string title{};     // `The app does not build`
  std::string subtitle{};  // `GET /notes`
  std::vector<Problem> problems{};
  // Which build of the app this is about; the page waits for another one.
  std::string build{};
  // Whether the page may load itself again then: not when that would send a form again.
  bool isRepeatable = true;
};

// What a client wants to read, as its Accept says: HTML and JSON only if it names them.
enum class AnswerForm : std::uint8_t { Html, Json, Text };
AnswerForm formFor(std::string_view accept) noexcept;

// The page in one of its forms. Only its own style and script have `nonce`, which must be a new
// one, for the Content-Security-Policy. Texts are cut where they are longer than anybody reads.
std::string renderHtml(const ErrorPage& page, std::string_view nonce);
// `{"error": {...}}`; docs/dev.md says what is in it.
std::string renderJson(const ErrorPage& page);
std::string renderText(const ErrorPage& page);

// The page for `request`, with the header fields that it needs.
HostAnswer errorAnswer(const HttpRequest& request, const ErrorPage& page);

}  // namespace schemascript
