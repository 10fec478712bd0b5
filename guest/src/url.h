// Which URLs need no parser.
#pragma once

#include <string_view>

namespace schemascript::guest {

// Whether parsing as https://url.spec.whatwg.org would leave it as it is, and it has neither user
// nor fragment: `http` or `https`, a host of plain lower-case labels whose last one is no number or
// an IPv4 address, no port that is the default, no dot segments, nothing to be escaped. May be
// false for others that are normal, too.
bool isNormalUrl(std::string_view url) noexcept;

}  // namespace schemascript::guest
