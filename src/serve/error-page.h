// What a developer sees of an error: a page in a browser, JSON for programs, text for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "serve/service.h"

namespace schemascript {

// Where a page of `dev` hears that there is a newer build: server-sent events, of which each has
// the name of a build as its data.
inline constexpr std::string_view kEventsPath = "/__schemascript/events";

struct ErrorToShow {
  int status = 500;
  // For people, as a terminal would show it: the message, the source's line with a caret under it,
  // where it was called. Of any content: nothing in it is taken for markup.
  std::string_view text;
  // The build that the error is of. The page loads itself anew when there is another one.
  std::string_view build;
};

// In the form that the request's `Accept` prefers. A page has all that it needs in itself, and a
// Content-Security-Policy that lets it do nothing else.
HostAnswer answerWithError(const HttpRequest& request, const ErrorToShow& error);

// `<&"'>` and the like as HTML has them. Bytes that are not allowed in HTML become U+FFFD.
std::string escapedForHtml(std::string_view text);

}  // namespace schemascript
