// Names and values of HTTP headers, as https://fetch.spec.whatwg.org/#headers-class has them.
#pragma once

#include <optional>
#include <string_view>

namespace schemascript::guest {

enum class HeaderName { Normal, HasCapitals, Invalid };

// Normal: a token (RFC 9110, 5.6.2) in lower case.
HeaderName classifyHeaderName(std::string_view name) noexcept;

// `value`, UTF-8, without the blanks around it; nothing when it has NUL, CR, LF or a character
// beyond U+00FF. A part of `value`.
std::optional<std::string_view> tryCleanHeaderValue(std::string_view value) noexcept;

}  // namespace schemascript::guest
